import { guards, transitions, type Transition } from '../../api/src/lifecycle.ts';

const who = { producer: 'a producer', holder: 'its holder', person: 'a person', millrace: 'Millrace' };

/** docs/lifecycle.md: the state machine as a picture and as a table. */
export function drawLifecycle(): string {
  const rows = Object.entries<Transition>(transitions);
  return `# The life of a work item

Generated from \`api/src/lifecycle.ts\`, the table that the server itself reads. Do not edit.

\`\`\`mermaid
stateDiagram-v2
${rows.flatMap(([name, transition]) => arrows(name, transition)).join('\n')}
\`\`\`

| transition | by | from | when | to | what it means |
|---|---|---|---|---|---|
${rows.map(([name, transition]) => tableRow(name, transition)).join('\n')}

- A consumer holds an item by its *lease*: the item's \`version\`, as the claim answered it, until \`leaseExpiresOn\`. Heartbeats
  extend the lease, and leave the version as it is; so do \`pointOfNoReturn\` and \`cancel\`. Every other change raises it.
- A report with another version comes too late: it is refused, and kept in the timeline of the item.
- Sending the same report twice is safe: the second changes nothing, and answers the item as it is by then.
- A SYSTEM failure is a \`retry\` while \`retryCount\` is below the queue's \`autoRetryLimit\`, else a \`fail\`. After the back-off of the
  queue (\`retryBackOff\`) the item goes behind the items of equal rank that wait then. A BUSINESS failure is never tried again.
- A lease that expires is a \`lapse\`, but an \`exhaust\` when it is the \`lapseLimit\`-th one in a row: an item that brings down its
  devices does not go from one to the next for ever. A report of its holder, \`restart\` and \`resolveNotDone\` begin the row anew.
- An attempt that does not count leaves \`retryCount\` and the item's place in the order as they were.
- After the point of no return nothing tries an item again by itself. Where it would come back (a lease that expires, a technical
  failure, an item that is given or taken back), it becomes FAILED with the failureKind IN_DOUBT, until a person has found out
  what was done and answers \`resolveWorkItem\`.
- Each failure keeps a signature of its error (\`errorSignature\`), by which failures of one cause are found and restarted together. A restart of many
  is remembered as a remedy of their cause, until they are restarted once more.
- A cancelled item is never tried again: unless its holder reports it COMPLETE, which is accepted, it ends as \`stop\`, or
  after the point of no return as \`doubt\`; there, a BUSINESS failure still is a \`fail\`.
`;
}

function arrows(name: string, { from, to }: Transition): string[] {
  const starts = from.length === 0 ? ['[*]'] : from;
  return starts.map((start) => {
    const end = to === 'GONE' ? '[*]' : to === 'SAME' ? start : to;
    return `    ${start} --> ${end}: ${name}`;
  });
}

function tableRow(name: string, { by, from, when = [], to, meaning }: Transition): string {
  const end = to === 'SAME' ? 'the same' : to === 'GONE' ? 'gone' : to;
  const causes = by.map((cause) => who[cause]).join(', ');
  const conditions = when.map((guard) => guards[guard].meaning).join(' and ');
  return `| ${name} | ${causes} | ${from.join(', ') || 'nothing'} | ${conditions} | ${end} | ${meaning} |`;
}
