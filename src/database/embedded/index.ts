export { borrowEmbeddedPostgres } from './borrow.js';
export { EmbeddedPostgresError } from './embedded-postgres-error.js';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './start.js';
