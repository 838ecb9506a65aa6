import type { Dialect } from '../dialect.js';
import { contract } from './mosbot.dialect.js';
import { MosbotModule } from './mosbot.module.js';

/** MosBot OS. */
export const mosbot: Dialect = { ...contract, module: MosbotModule };
