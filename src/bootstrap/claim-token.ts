import { randomBytes } from 'node:crypto';

/** The token of the set-up claim that a start opens; the processes of one start share it, so that one command is shown. */
export class ClaimToken {
  constructor(readonly value = randomBytes(32).toString('base64url')) {}
}
