import { contractText } from '../engine/contract.ts';
import type { Functions } from '../engine/operation.ts';

const contract = JSON.parse(contractText) as Record<string, unknown>;

export const getLiveness: Functions['getLiveness'] = async () => ({ status: 'UP' });

export const getReadiness: Functions['getReadiness'] = ({ readiness }) => readiness();

export const getContract: Functions['getContract'] = async () => contract;
