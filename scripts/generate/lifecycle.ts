import { transitions, type Transition } from '../../api/src/lifecycle.ts';

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

| transition | by | from | to | what it means |
|---|---|---|---|---|
${rows.map(([name, transition]) => tableRow(name, transition)).join('\n')}

- A consumer holds an item by its *lease*: the item's \`version\`, as the claim answered it, until \`leaseExpiresOn\`.
  Heartbeats extend the lease and leave the version as it is; every other change raises it.
- A report with another version comes too late: it is refused, and kept in the timeline of the item.
- Sending the same report twice is safe: the second changes nothing, and answers the item as it is by then.
- \`retry\` happens while \`retryCount\` is below the queue's \`autoRetryLimit\` and the failure is not a BUSINESS one. The item goes
  behind the items of equal rank that wait at that moment.
`;
}

function arrows(name: string, { from, to }: Transition): string[] {
  const starts = from.length === 0 ? ['[*]'] : from;
  return starts.map((start) => {
    const end = to === 'GONE' ? '[*]' : to === 'SAME' ? start : to;
    return `    ${start} --> ${end}: ${name}`;
  });
}

function tableRow(name: string, { by, from, to, meaning }: Transition): string {
  const end = to === 'SAME' ? 'the same' : to === 'GONE' ? 'gone' : to;
  return `| ${name} | ${who[by]} | ${from.join(', ') || 'nothing'} | ${end} | ${meaning} |`;
}
