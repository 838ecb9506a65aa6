import type { Dialect } from '../dialect.js';
import { contract } from './os-trading-engine.dialect.js';
import { OsTradingEngineModule } from './os-trading-engine.module.js';

/** OS Trading Engine. */
export const osTradingEngine: Dialect = { ...contract, module: OsTradingEngineModule };
