/**
 * A warm bot without any library: it takes work items as lines of JSON on stdin and answers each with a line on stdout.
 *
 *     millrace run --queue 'Credit applications' --warm -- node --import tsx examples/warm-bot.ts
 *
 * Started so, and not through npx, which would not pass file descriptor 3 on.
 */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface Application {
  Customer_ID: number;
  Credit_Amount: number;
}

// The number is in MILLRACE_CONTROL, too.
const control = new Socket({ fd: 3 });
const replies = createInterface({ input: control })[Symbol.asyncIterator]();

function tell(message: object): void {
  control.write(`${JSON.stringify(message)}\n`);
}

/** Resolves when the server has it on disk. If the item is lost or cancelled, this process is ended instead. */
async function pointOfNoReturn(): Promise<void> {
  tell({ pointOfNoReturn: true });
  await replies.next();
}

async function payOut({ Customer_ID: customer, Credit_Amount: amount }: Application): Promise<object> {
  if (amount > 15_000) {
    return {
      status: 'FAILED',
      failureKind: 'BUSINESS',
      error: `${String(amount)} is above the limit of 15000`,
    };
  }
  console.error(`paying ${String(amount)} to ${String(customer)}`);
  tell({ progress: { percent: 50, text: 'checked' } });
  await pointOfNoReturn();
  // The payment would be sent here. Whatever happens from now on, nobody sends it a second time unasked.
  return { status: 'COMPLETE', output: { paid: amount }, tags: ['paid'] };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, json } = JSON.parse(line) as { id: number; json: Application };
  const answer = await payOut(json).catch((error: unknown) => ({ status: 'FAILED', error: String(error) }));
  process.stdout.write(`${JSON.stringify({ id, ...answer })}\n`);
}
control.destroy();
