export { Exports } from './exports.js';
export { type ImportOptions, type ImportOutcome, type ImportReport, type Refusal } from './import-report.js';
export { KeyImport } from './key-import.js';
export { type Format, FORMATS } from './source-record.js';
export { TransferModule } from './transfer.module.js';
export { UserImport } from './user-import.js';
export { USER_SOURCES, type UserSourceName } from './user-sources.js';
