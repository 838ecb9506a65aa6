export { type DatabaseTarget, dataSourceOptions, type RequestLimits } from './data-source-options.js';
export { DatabaseModule } from './database.module.js';
export { LastUseRecorder } from './last-use.js';
export { LOCKS, takeLock, withLock, withLockInTurn } from './locks.js';
export { migrate } from './migrate.js';
export { type DatabaseAccess, DatabaseRefusedError, prepareDatabase } from './prepare.js';
export { type PreparedQuery, PreparedQueries } from './prepared-queries.js';
export { RepeatedFault } from './repeated-fault.js';
export { violatedConstraint } from './unique-violation.js';
