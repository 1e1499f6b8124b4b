/**
 * A bot that scores credit applications. It takes what it needs from the environment:
 * MILLRACE_URL, MILLRACE_USERNAME, MILLRACE_API_KEY, and the name of the queue as its argument.
 */
import { setTimeout } from 'node:timers/promises';
import { BusinessError, run } from '@millrace/runner';

interface Application {
  Customer_ID: number;
  Duration_in_Months: number;
  Credit_Amount: number;
  Age: number;
  Status_Checking_Acc: string;
}

const {
  MILLRACE_URL: url = '',
  MILLRACE_USERNAME: username = '',
  MILLRACE_API_KEY: apiKey = '',
} = process.env;
const queue = process.argv[2] ?? 'Credit applications';

await run<Application>(
  { url, username, apiKey, queue, slots: 8, leaseSeconds: 3 },
  async ({ json, retryCount }) => {
    const { Customer_ID: id, Age: age, Credit_Amount: amount, Duration_in_Months: months } = json;
    if (age < 20) throw new BusinessError(`The applicant is ${age}; credit is given from 20 on.`);
    if (months > 60) throw new BusinessError(`${months} months is longer than the 60 that are allowed.`);
    // Asking a credit bureau takes time, and now and then the bureau does not answer at the first try.
    await setTimeout(10);
    if (id % 50 === 0 && retryCount === 0) throw new Error('The credit bureau did not answer.');
    const risk = amount / months / 100 + (json.Status_Checking_Acc === 'A11' ? 3 : 0) + (age < 25 ? 1 : 0);
    return { risk: Number(risk.toFixed(2)), decision: risk < 5 ? 'accept' : 'review' };
  },
);
