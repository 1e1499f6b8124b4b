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
    cursor: (title: string) => `${title}, span by span`,
    to: (from: string, to: string) => `${from} to ${to}`,
    most: (label: string, value: string) => `${label} ${value} at most`,
    value: (label: string, value: string) => `${label} ${value}`,
  },
};

/** The texts of charts. */
export const m = { ...common, ...inLanguage({ en }) };
