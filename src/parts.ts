import type * as CommandLine from './cli/index.js';
import type * as Server from './run.js';
import type * as ReadSettings from './settings.js';
import type * as StartErrors from './start-error.js';

/**
 * The parts of the program, for the files that people start: each is loaded when it is asked for. The build puts all that
 * is reached from here into one file, which `load-parts.ts` reads.
 */
export const server = (): Promise<typeof Server> => import('./run.js');
export const commandLine = (): Promise<typeof CommandLine> => import('./cli/index.js');
export const settings = (): Promise<typeof ReadSettings> => import('./settings.js');
export const startErrors = (): Promise<typeof StartErrors> => import('./start-error.js');
