import { timeZone } from '../store/preferences.ts';
import { useStore } from '../store/store.ts';
import { Text } from './text.tsx';
import { exactly, momentOf } from './time.tsx';

// The server writes times into its sentences as UTC, to the second.
const times = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** A sentence of the server, with its times in the chosen zone. */
export function Sentence({ children }: { readonly children: string }) {
  useStore(timeZone);
  // A reason that somebody typed may have the shape of a time and be none.
  return children.split(times).map((part, index) =>
    index % 2 && !Number.isNaN(Date.parse(part)) ? (
      <time key={index} dateTime={part} title={exactly(part)}>
        {momentOf(part)}
      </time>
    ) : (
      <Text key={index}>{part}</Text>
    ),
  );
}
