import { Secret } from '../http/index.js';
import { NewAccountBody } from '../users/index.js';

export class SetupBody extends NewAccountBody {
  /** The token that the server printed when it started. */
  @Secret()
  token!: string;
}
