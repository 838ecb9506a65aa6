export { moveDatabase, type Moved, type MoveSide } from './move-database.js';
export { MoveRefusedError } from './move-refused.js';
