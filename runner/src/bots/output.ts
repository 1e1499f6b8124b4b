import { parseJson } from '@millrace/api';

/**
 * The output in what a command wrote to stdout: the whole of it, or else its last line, as a JSON object. Nothing but white
 * space is no output.
 * @throws Error that shows what was written instead.
 */
export function readOutput(stdout: string): object | undefined {
  const text = stdout.trim();
  if (text === '') return undefined;
  const output = readObject(text) ?? readObject(text.slice(text.lastIndexOf('\n') + 1));
  if (output !== undefined) return output;
  const end = text.slice(-200);
  throw new Error(
    'The command ended well, but what it wrote to stdout is no JSON object, nor is its last line. Write logs to stderr. ' +
      `It ends with: ${end}`,
  );
}

function readObject(text: string): object | undefined {
  try {
    const value = parseJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
