import { Presets, SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

/** Shows how much of a file is on its way. */
export interface Progress {
  readonly begin: () => void;
  /** So many more bytes are sent. */
  readonly sent: (bytes: number) => void;
  /** Takes the bar away. */
  readonly end: () => void;
}

/** For programs, which read nothing but JSON. */
export const unseen: Progress = { begin: () => undefined, sent: () => undefined, end: () => undefined };

/** A progress bar on stderr; where nothing can move, one line that says what is being sent. */
export function showBytes(terminal: Terminal, name: string, total: number): Progress {
  if (!terminal.isLive) {
    const begin = () => terminal.say(`Uploading ${name} (${sizeText(total)}) ...`);
    return { ...unseen, begin };
  }
  const bar = new SingleBar(
    {
      format: `${name} {bar} {percentage}%  {value} of {total}  {phase}`,
      formatValue: (value, _options, type) => (type === 'percentage' ? String(value) : sizeText(value)),
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      // The bar would take Ctrl-C for itself, and the upload would go on.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  let value = 0;
  return {
    begin: () => bar.start(total, 0, { phase: '' }),
    sent: (bytes) => {
      // The form around the file makes the request a little longer than the file.
      value = Math.min(total, value + bytes);
      bar.update(value, { phase: value === total ? 'The server is reading it ...' : '' });
    },
    end: () => bar.stop(),
  };
}

/** A fetch that tells how many bytes of a form are sent, as the connection takes them. */
export function countingFetch(sent: (bytes: number) => void): typeof globalThis.fetch {
  return (input, init) => {
    if (!(init?.body instanceof FormData)) return fetch(input, init);
    const form = new Response(init.body);
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        sent(chunk.byteLength);
        controller.enqueue(chunk);
      },
    });
    const headers = new Headers(init.headers);
    headers.set('content-type', form.headers.get('content-type') ?? '');
    const body = form.body?.pipeThrough(counter) ?? null;
    return fetch(input, { ...init, headers, body, duplex: 'half' });
  };
}

/** A number of bytes for people, in kB, MB or GB. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${String(bytes)} B`;
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${['', 'kB', 'MB', 'GB'][power] ?? ''}`;
}
