// Reads files in a thread of its own, directly from TypeScript. Started by reading.ts.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
