import { createHash } from 'node:crypto';

/** A Lua script, which Redis runs as one step. It is called by its hash, and sent in full only where Redis does not know it. */
export class RedisScript {
  readonly sha1: string;

  constructor(readonly lua: string) {
    this.sha1 = createHash('sha1').update(lua).digest('hex');
  }
}
