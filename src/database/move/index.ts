export { moveDatabase, type Moved } from './move-database.js';
export { MoveRefusedError } from './move-refused.js';
