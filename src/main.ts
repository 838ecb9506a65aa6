import { loadParts } from './load-parts.js';
import { onModestHeap } from './modest-heap.js';

// The one place that reads the environment.
const parts = await loadParts();
await onModestHeap(async () => (await parts.server()).run({ env: process.env, argv: process.argv.slice(2) }));
