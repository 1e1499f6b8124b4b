import { afterAll, vi } from 'vitest';
import { endAll } from './endings.ts';

// Runs before each test file. The next file gets the worker as this one got it.
afterAll(async () => {
  vi.useRealTimers();
  await endAll();
});
