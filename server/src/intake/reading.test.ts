import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Refusal } from '../engine/errors.ts';
import type { SampleJob, Told } from './portions.ts';
import { readInThread } from './reading.ts';
import { workbookOf } from './table/workbook.fixture.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'reading-'));
afterAll(() => rmSync(folder, { recursive: true }));

function sampleJob(): SampleJob {
  const file = path.join(folder, 'orders.xlsx');
  const cell = '<c t="str"><v>customer</v></c>';
  writeFileSync(file, workbookOf({ rows: `<row>${cell}</row><row>${cell}</row>` }));
  return { purpose: 'sample', path: file, name: 'orders.xlsx', options: {}, attributes: [] };
}

async function readAll(mostMs?: number): Promise<readonly Told[] | Refusal> {
  const all: Told[] = [];
  try {
    for await (const told of readInThread(sampleJob(), mostMs)) all.push(told);
    return all;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

describe('a file that is read in a thread', () => {
  test('previewFile gives a file up that takes longer than it may, says so, and reads the next', async () => {
    const refusal = await readAll(0);
    expect(refusal).toMatchObject({
      code: 'INVALID_REQUEST',
      message:
        'The file takes longer than 0 seconds to be read. Save it as CSV, or in several files, and send that. Nothing was created.',
    });
    expect(await readAll()).toMatchObject([{ kind: 'sample' }]);
  });
});
