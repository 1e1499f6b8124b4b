import { afterAll, vi } from 'vitest';
import { endAll } from './endings.ts';

// Runs before each test file. The next file gets the worker in the same state as this one did.
afterAll(async () => {
  vi.useRealTimers();
  await endAll();
});
