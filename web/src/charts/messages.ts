import { number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  charts: {
    table: 'As a table',
    chart: 'As a chart',
    from: 'From',
    noData: 'no data',
    nothing: 'There is nothing to show for this time.',
    soFar: 'so far',
    done: 'What was done',
    units: { day: 'd', hour: 'h', minute: 'min', second: 's' },
    inUnit: (amount: number, unit: string) => `${number(amount)} ${unit}`,
    told: (first: string, others: number) => (others > 0 ? `${first} And ${number(others)} more.` : first),
    cursor: (title: string) => `${title}, span by span`,
    to: (from: string, to: string) => `${from} to ${to}`,
    most: (label: string, value: string) => `${label} ${value} at most`,
    value: (label: string, value: string) => `${label} ${value}`,
  },
};

/** The texts of charts. */
export const m = { ...common, ...inLanguage({ en }) };
