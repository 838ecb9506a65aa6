/** Why a database is not moved: something is in the way there, somebody is at work there, or the copy is not the same. */
export type MoveObstacle = 'not empty' | 'in use' | 'not the same';

/** A database is not moved; nothing of it has been. The message is for people. */
export class MoveRefusedError extends Error {
  override readonly name = 'MoveRefusedError';

  constructor(
    readonly obstacle: MoveObstacle,
    message: string,
  ) {
    super(message);
  }
}
