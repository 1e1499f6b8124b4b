import { asTable } from './kinds.rules.ts';

/** Texts that are no tables, by their beginnings, and the advice for each. */
const odd: readonly (readonly [begin: RegExp, sentence: string])[] = [
  [
    /^<\?xml[^]*?(urn:schemas-microsoft-com:office:spreadsheet|progid="Excel\.Sheet")/i,
    'The file is an "XML Spreadsheet 2003", whatever its name ends with. Open it in Excel or LibreOffice, save it as "Excel Workbook (.xlsx)", and send that',
  ],
  [
    /^(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)*<(!doctype\s+html|html|head|body|meta|style|table|div|tr)\b/i,
    'The file is a page of HTML, whatever its name ends with, as some programs write for Excel. Open it in Excel or LibreOffice, save it as "Excel Workbook (.xlsx)" or as "CSV UTF-8", and send that',
  ],
  [
    /^MIME-Version:/i,
    'The file is a web page in one file (.mht). Open it in Excel, save it as "Excel Workbook (.xlsx)", and send that',
  ],
  [/^(<\?xml|<!doctype|<\w+\s+xmlns[:=])/i, `The file is XML, which is no table. ${asTable}`],
  [
    /^(\{\s*("|\}|$)|\[\s*[{[]\s*["\]])/,
    'The file is JSON, which is no table. A program sends its items by createWorkItems (POST /v4/wlm/queues/{id}/workitems), in one body or as lines of JSON; or save them as "CSV UTF-8", and send that',
  ],
  [
    /^ID;PWXL/,
    'The file is a SYLK file (.slk). Open it in Excel or LibreOffice, save it as "Excel Workbook (.xlsx)", and send that',
  ],
];

/** The advice for a text that is no table; undefined where it may be one. */
export function oddText(begin: string): string | undefined {
  const text = begin.replace(/^[\ufeff\s]+/, '').slice(0, 4096);
  return odd.find(([pattern]) => pattern.test(text))?.[1];
}

const marks = ['fffe0000', '0000feff'];

/** Whether bytes are text of four bytes a character, which has no decoder here: two or three of the four are zeros. */
export function isUtf32(start: Uint8Array): boolean {
  const begin = Buffer.from(start.subarray(0, 4096));
  if (marks.includes(begin.toString('hex', 0, 4))) return true;
  const [first, second, third, fourth] = [0, 1, 2, 3].map((place) => zerosAt(begin, place)) as Zeros;
  const isLittle = fourth > 0.9 && first < 0.1;
  const isBig = first > 0.9 && fourth < 0.1;
  return begin.length >= 16 && (isLittle ? third > 0.9 : isBig && second > 0.9);
}

type Zeros = [number, number, number, number];

/** The share of zeros among the bytes at this place of four. */
function zerosAt(bytes: Buffer, place: number): number {
  const own = bytes.filter((_, index) => index % 4 === place);
  return own.filter((byte) => byte === 0).length / Math.max(1, own.length);
}
