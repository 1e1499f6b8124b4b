import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  filters: {
    unknownField: (name: string) => `There is no field “${name}”.`,
    emptyValue: (name: string) => `“${name}” needs a value.`,
    unclosed: 'A bracket is not closed.',
    ended: 'Something is to follow the last bracket or “or”: write a condition, or take it away.',
    unexpected: (text: string) => `“${text}” is not expected here.`,
    badDate: (text: string) => `“${text}” is no time. Write 2026-03-01, 2026-03-01T08:00 or now-24h.`,
    badNumber: (name: string, text: string) => `${name} is a number, and “${text}” is none.`,
    badWord: (name: string, words: string) => `${name} is one of ${words}.`,
    badOperator: (name: string, operator: string) => `${name} cannot be compared by “${operator}”.`,
    hidden: (name: string) =>
      `The values of ${name} are hidden: they are found whole only, as ${name}:value, or left out by -${name}:value.`,
    remove: (term: string) => `Remove ${term}`,
  },
};

/** The texts for invalid filters. */
export const m = { ...common, ...inLanguage({ en }) };
