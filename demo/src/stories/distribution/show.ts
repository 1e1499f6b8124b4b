import { Help } from 'commander';
import type { Stage } from '../../stage.ts';
import type { Feed } from './feed.ts';
import { historyOf } from './history.ts';
import { drawPanel, panelLine, type PanelParts } from './panel.ts';

/** The screen of the story: the text, and below it the panel. */
export interface Show {
  /** Begins a chapter, with a plain line on its subject. */
  readonly chapter: (title: string, about: string) => void;
  /** A sentence of the story. */
  readonly say: (sentence: string) => void;
  /** An entry of a list. */
  readonly entry: (text: string) => void;
  /** A question to the server. */
  readonly question: (sentence: string) => void;
  /** Lines that stand as they are. */
  readonly lines: (text: string) => void;
  /** An answer of the server. */
  readonly answer: (sentence: string) => void;
  /** The facts that an answer rests on. */
  readonly facts: (text: string) => void;
  readonly end: () => void;
}

const redrawMs = 250;
const plainMs = 5000;
const mostColumns = 78;
const margin = 3;

/** Opens the screen; it is closed at the end of the story at the latest. */
export function openShow(stage: Stage, feed: Feed, parts: PanelParts): Show {
  const { terminal, liveLine: live, signal, atEnd } = stage;
  const { bold, cyan, dim } = terminal.sayColors;
  const paragraph = paragraphsFor(terminal.width);
  const startedOn = Date.now();
  const draw = () => live.update(`\n${drawPanel(historyOf(feed.events), parts, Date.now())}`);
  const sayPanel = () => {
    const seconds = Math.round((Date.now() - startedOn) / 1000);
    live.say(dim(panelLine(historyOf(feed.events), parts, seconds)));
  };
  const clock = terminal.isLive ? setInterval(draw, redrawMs) : setInterval(sayPanel, plainMs);
  let chapters = 0;
  const end = () => {
    clearInterval(clock);
    live.end();
  };
  atEnd(end);
  // Before anybody else writes on the screen.
  signal.addEventListener('abort', end);
  return {
    chapter: (title, about) => live.say(`\n${bold(`${(chapters += 1)}  ${title}`)}\n${paragraph(about)}`),
    say: (sentence) => live.say(`\n${paragraph(sentence)}`),
    entry: (text) => live.say(paragraph(text, 1)),
    lines: (text) => live.say(indented(text)),
    question: (sentence) => live.say(`\n${bold(paragraph(sentence))}`),
    answer: (sentence) => live.say(cyan(paragraph(sentence, 1))),
    facts: (text) => live.say(dim(paragraph(text, 1))),
    end,
  };
}

/** Breaks a text into lines that fit the screen, two blanks further in for each level. */
function paragraphsFor(columns = mostColumns) {
  return (text: string, level = 0) => {
    const indent = margin + 2 * level;
    const width = Math.min(columns - 2, mostColumns) - indent;
    return new Help().boxWrap(text.replaceAll(/\s*\n\s*/g, ' '), width).replaceAll(/^/gm, ' '.repeat(indent));
  };
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(margin));
}
