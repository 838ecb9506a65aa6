#!/usr/bin/env node
import { loadParts } from './load-parts.js';
import { onModestHeap } from './modest-heap.js';

const parts = await loadParts();
const { runCommandLine } = await parts.commandLine();
// Beside main.ts, the one place that reads the environment. What a command does not need is not loaded: help is there at once.
const code = await runCommandLine({
  argv: process.argv.slice(2),
  start: async (argv) => {
    const { run } = await parts.server();
    await onModestHeap(() => run({ env: process.env, argv }));
  },
  readSettings: async (argv) => (await parts.settings()).readSettings({ env: process.env, argv }),
  inspectSettings: async (argv) => (await parts.settings()).inspectSettings({ env: process.env, argv }),
  explainDatabase: async (error, settings) => (await parts.startErrors()).databaseError(error, settings),
});
// A server that was started stays.
if (code !== null) process.exit(code);
