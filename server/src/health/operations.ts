import { sql } from '../db.ts';
import { contractText } from '../contract.ts';
import type { PublicOperation } from '../operation.ts';

const contract = JSON.parse(contractText) as { info: { version: string } };

export const getLiveness: PublicOperation<'getLiveness'> = async () => ({ status: 'UP' });

export const getReadiness: PublicOperation<'getReadiness'> = async ({ db }) => {
  await db.rows(sql`select`);
  return { status: 'UP', version: contract.info.version };
};

export const getContract: PublicOperation<'getContract'> = async () => contract;
