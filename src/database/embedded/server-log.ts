import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

const ROTATE_AT = 4 * 1024 * 1024;

/** The server's log. It is a file, not a pipe, so that a server that outlives Gatehouse does not die writing. */
export class ServerLog {
  readonly path: string;

  constructor(dataDir: string) {
    this.path = join(dataDir, 'postgres.log');
  }

  /** Opens the log for a server to append to; one that has grown too large makes way first. */
  async open(): Promise<FileHandle> {
    if (await this.size() > ROTATE_AT) await rename(this.path, `${this.path}.1`);
    return open(this.path, 'a', 0o600);
  }

  size(): Promise<number> {
    return stat(this.path).then((found) => found.size, () => 0);
  }

  /** The last lines written after `from`. */
  async tail(from: number, lines = 8): Promise<string> {
    const file = await open(this.path, 'r').catch(() => null);
    if (file === null) return '';
    try {
      const end = (await file.stat()).size;
      const start = Math.max(from, end - 8192);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, end - start)), 0, null, start);
      return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-lines).join('\n');
    } finally {
      await file.close();
    }
  }
}
