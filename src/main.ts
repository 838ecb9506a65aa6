import { run } from './run.js';

// The one place that reads the environment.
await run({ env: process.env, argv: process.argv.slice(2) });
