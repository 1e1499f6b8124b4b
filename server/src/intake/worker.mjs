// Reads files in a thread of its own, from TypeScript as it is. Started by reading.ts.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
