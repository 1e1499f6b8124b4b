import { Choice } from '../page/fields.tsx';
import { m } from './messages.ts';
import type { Range } from './rules.ts';

interface Props {
  readonly range: Range;
  readonly onChange: (range: Range) => void;
}

/** The choice of how far back to look. */
export function RangeChoice({ range, onChange }: Props) {
  return (
    <Choice
      label={m.history.range}
      value={range}
      choices={m.history.ranges}
      onChange={(chosen) => onChange(chosen ?? range)}
    />
  );
}
