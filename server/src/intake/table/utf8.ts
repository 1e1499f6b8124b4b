import { isUtf8 } from 'node:buffer';

/** A function that tells whether all bytes up to now, which come part by part, are UTF-8; a character may be split between two parts. */
export function utf8Watch(): (chunk: Buffer) => boolean {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const cut = bytes.length - unfinished(bytes);
    rest = Buffer.from(bytes.subarray(cut));
    return isUtf8(bytes.subarray(0, cut));
  };
}

/** Number of bytes at the end that are the beginning of a character. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return missing(byte, back);
    if (byte < 0x80) return 0;
  }
  return 0;
}

/** The present bytes of a character, when others of it are missing. */
function missing(lead: number, present: number): number {
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return present < length ? present : 0;
}
