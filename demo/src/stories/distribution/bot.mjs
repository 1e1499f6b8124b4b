// The bots of the story, kept warm: they take as long as the item says. A Clerk refuses high amounts, and now and then the ERP
// fails it once. A Cashier sends payments, which cannot be undone, and the bank's statement is a file.
//
//     node bot.mjs <statement>
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const [statement = ''] = process.argv.slice(2);
const control = new Socket({ fd: 3 });
const replies = createInterface({ input: control })[Symbol.asyncIterator]();
const items = createInterface({ input: process.stdin });

const bots = { Clerk: decide, Cashier: pay };
const limit = 1000;

async function decide({ json, retryCount }) {
  await pause(json.seconds * 1000);
  if (json.amount > limit) {
    const error = `${json.amount} is above the limit of ${limit}`;
    return { status: 'FAILED', failureKind: 'BUSINESS', error };
  }
  if (retryCount === 0 && json.amount % 19 === 0)
    return { status: 'FAILED', error: 'The ERP did not answer' };
  return { status: 'COMPLETE', output: { booked: json.amount } };
}

async function pay({ json }) {
  process.stderr.write(`sending ${json.amount} for ${json.reference}\n`);
  control.write('{"pointOfNoReturn":true}\n');
  await replies.next();
  appendFileSync(statement, `${JSON.stringify({ reference: json.reference, amount: json.amount })}\n`);
  process.stderr.write('sent; waiting for the receipt of the bank\n');
  await pause(json.seconds * 1000);
  return { status: 'COMPLETE', output: { receipt: json.reference } };
}

// The process that started it has gone: nobody would hear the answer.
items.on('close', () => process.exit());
for await (const line of items) {
  const item = JSON.parse(line);
  const answer = await bots[item.botName](item);
  process.stdout.write(`${JSON.stringify({ id: item.id, ...answer })}\n`);
}
