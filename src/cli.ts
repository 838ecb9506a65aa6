#!/usr/bin/env node
import { runCommandLine } from './cli/index.js';
import { onModestHeap } from './modest-heap.js';

// Beside main.ts, the one place that reads the environment. What a command does not need is not loaded: help is there at once.
const code = await runCommandLine({
  argv: process.argv.slice(2),
  start: (argv) => onModestHeap(async () => (await import('./run.js')).run({ env: process.env, argv })),
  readSettings: async (argv) => (await import('./settings.js')).readSettings({ env: process.env, argv }),
  inspectSettings: async (argv) => (await import('./settings.js')).inspectSettings({ env: process.env, argv }),
  explainDatabase: async (error, settings) => (await import('./start-error.js')).databaseError(error, settings),
});
// A server that was started stays.
if (code !== null) process.exit(code);
