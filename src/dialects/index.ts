export type { Dialect } from './dialect.js';
export { DialectsModule } from './dialects.module.js';
export { DialectErrorFilter } from './error.filter.js';
export { MountedDialects } from './mounted-dialects.js';
export { DIALECTS } from './registry.js';
