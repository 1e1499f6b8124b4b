import type { Duplex } from 'node:stream';
import { parseJson } from '@millrace/api';
import type { Work } from '../item.ts';
import { checkerOf } from '../schema.ts';
import { answerSchema, type Answer } from './answer.ts';
import { readLines } from './lines.ts';

/** A line of a bot on its control pipe: one of these members. */
interface Message {
  readonly progress?: { readonly percent: number; readonly text?: string };
  readonly pointOfNoReturn?: true;
  readonly report?: Answer;
}

/** The receivers of the lines of a control pipe. */
export interface Control {
  /** The tools of the item at hand; undefined when there is none. */
  readonly work: () => Pick<Work, 'progress' | 'pointOfNoReturn'> | undefined;
  /** Takes the report of the item; undefined where a report comes another way. */
  readonly onReport?: (answer: Answer) => void;
  /** Called with the reason when a line cannot be read; the bot should be ended then. */
  readonly onWrong: (why: string) => void;
}

const maxCharacters = 1_000_000;

const check = checkerOf({
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
  properties: {
    progress: {
      type: 'object',
      required: ['percent'],
      additionalProperties: false,
      properties: { percent: { type: 'number' }, text: { type: 'string' } },
    },
    pointOfNoReturn: { const: true },
    report: answerSchema,
  },
});

/** Fulfils a bot's requests on its control pipe, line by line. */
export function serveControl(pipe: Duplex, control: Control): void {
  const onTooLong = () => control.onWrong('a line is longer than a megabyte');
  const onLine = (line: string) => {
    if (line.trim() !== '') obey(pipe, control, line);
  };
  readLines(pipe, maxCharacters, { onLine, onTooLong });
}

function obey(pipe: Duplex, control: Control, line: string): void {
  const work = control.work();
  if (work === undefined) return control.onWrong(`it came while there was no item: ${shortened(line)}`);
  try {
    const { progress, pointOfNoReturn, report } = readMessage(line);
    if (progress !== undefined) void work.progress(progress.percent, progress.text);
    if (pointOfNoReturn === true) void confirm(pipe, work.pointOfNoReturn());
    if (report === undefined) return;
    if (control.onReport === undefined) throw new Error('a warm bot reports on stdout');
    control.onReport(report);
  } catch (error) {
    control.onWrong(`${(error as Error).message}: ${shortened(line)}`);
  }
}

/** @throws Error that says what is wrong with the line */
function readMessage(line: string): Message {
  const value = parseJson(line);
  const [problem] = check(value);
  if (problem !== undefined) throw new Error(problem);
  return value as Message;
}

/** Answers only once the server has the mark on disk. A bot whose item was lost meanwhile gets no answer, and is ended. */
async function confirm(pipe: Duplex, marked: Promise<void>): Promise<void> {
  await marked.then(
    () => pipe.write('{"pointOfNoReturn":true}\n'),
    () => undefined,
  );
}

function shortened(line: string): string {
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}
