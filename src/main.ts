import { onModestHeap } from './modest-heap.js';

// The one place that reads the environment.
await onModestHeap(async () => (await import('./run.js')).run({ env: process.env, argv: process.argv.slice(2) }));
