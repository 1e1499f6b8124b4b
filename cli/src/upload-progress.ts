import { Presets, SingleBar } from 'cli-progress';
import type { Terminal } from './terminal.ts';

/** Shows how much of a file has been sent. */
export interface Progress {
  readonly begin: () => void;
  /** Counts further bytes as sent. */
  readonly sent: (bytes: number) => void;
  /** Removes the bar. */
  readonly end: () => void;
}

/** Shows nothing: with --json a program reads the output. */
export const unseen: Progress = { begin: () => undefined, sent: () => undefined, end: () => undefined };

const barOptions = ({ screen = process.stderr }: Terminal) => ({
  stream: screen,
  clearOnComplete: true,
  hideCursor: true,
  // The bar would take Ctrl-C for itself, and the upload would go on.
  gracefulExit: false,
});

/** A progress bar on stderr, or one line where stderr is no terminal. */
export function showBytes(terminal: Terminal, name: string, total: number): Progress {
  if (!terminal.isLive) {
    const begin = () => terminal.say(`Uploading ${name} (${sizeText(total)}) ...`);
    return { ...unseen, begin };
  }
  const bar = new SingleBar(
    {
      format: `${name} {bar} {percentage}%  {value} of {total}  {phase}`,
      formatValue: (value, _options, type) => (type === 'percentage' ? String(value) : sizeText(value)),
      ...barOptions(terminal),
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

/** Shows how much of a file is stored. */
export interface Storing {
  readonly at: (bytes: number, total: number, rows: number) => void;
  readonly end: () => void;
}

/** A progress bar of the stored part of a file; nothing where stderr is no terminal, or a program reads the output. */
export function showStored(terminal: Terminal, name: string, asJson: boolean): Storing {
  if (!terminal.isLive || asJson) return { at: () => undefined, end: () => undefined };
  const bar = new SingleBar(
    {
      ...barOptions(terminal),
      format: `Storing ${name} {bar} {percentage}%  {rows} rows`,
    },
    Presets.shades_classic,
  );
  let isShown = false;
  return {
    at: (bytes, total, rows) => {
      const shown = { rows: rows.toLocaleString('en') };
      if (isShown) bar.update(bytes, shown);
      else bar.start(Math.max(1, total), bytes, shown);
      isShown = true;
    },
    end: () => bar.stop(),
  };
}

/** A fetch that reports the bytes of a form as the connection takes them. */
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

/** A number of bytes in kB, MB or GB. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${String(bytes)} B`;
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${['', 'kB', 'MB', 'GB'][power] ?? ''}`;
}
