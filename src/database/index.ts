export { type DatabaseTarget, dataSourceOptions } from './data-source-options.js';
export { DatabaseModule } from './database.module.js';
export { LastUseRecorder } from './last-use.js';
export { LOCKS, takeLock, withLock } from './locks.js';
export { migrate } from './migrate.js';
export { type PreparedQuery, PreparedQueries } from './prepared-queries.js';
export { violatedConstraint } from './unique-violation.js';
