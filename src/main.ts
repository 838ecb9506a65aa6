import { setFlagsFromString } from 'node:v8';

// Loading the program keeps much and throws little away. V8 would take that for a load to come, and hold 20 MB more for
// short-lived objects than an idle server needs; once it listens, its requests may have them.
setFlagsFromString('--semi-space-growth-factor=1');
const { run } = await import('./run.js');
// The one place that reads the environment.
await run({ env: process.env, argv: process.argv.slice(2) });
setFlagsFromString('--semi-space-growth-factor=2');
