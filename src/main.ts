import { loadParts } from './load-parts.js';
import { onModestHeap } from './modest-heap.js';

const parts = await loadParts();
const { run } = await parts.server();
// The one place that reads the environment.
await onModestHeap(() => run({ env: process.env, argv: process.argv.slice(2) }));
