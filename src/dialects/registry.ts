import { asyncat } from './asyncat/index.js';
import { chatops } from './chatops/index.js';
import type { Dialect } from './dialect.js';
import { mosbot } from './mosbot/index.js';
import { osTradingEngine } from './os-trading-engine/index.js';
import { osmedeus } from './osmedeus/index.js';

/** Every dialect there is. To add one: a folder here, and its line in this list. */
export const DIALECTS: readonly Dialect[] = [mosbot, osTradingEngine, osmedeus, asyncat, chatops];
