import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../support/client.js';
import { makeDirectory, type TestDirectory } from '../support/directory.js';

const PROGRAM = 'redis-server';

/** A Redis of the suite's own that keeps nothing on disk. */
export class Redis {
  private server: ChildProcess | null = null;

  private constructor(private readonly directory: TestDirectory) {}

  static async start(): Promise<Redis> {
    const redis = new Redis(makeDirectory(0o755));
    await redis.up();
    return redis;
  }

  /** Its socket, which stays the same over restarts. */
  get address(): NetConnectOpts {
    return { path: join(this.directory.path, 'redis.sock') };
  }

  async up(): Promise<void> {
    const { path } = this.directory;
    const settings = { port: '0', unixsocket: join(path, 'redis.sock'), dir: path, save: '', appendonly: 'no' };
    this.server = spawn(PROGRAM, Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]), { stdio: 'ignore' });
    await eventually(() => this.ask('PING'));
  }

  /** Ends it: as an operator would, or as a crash would. */
  async down(how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { server } = this;
    if (server?.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill(how);
    await gone;
  }

  flush(): Promise<void> {
    return this.ask('FLUSHALL');
  }

  async stop(): Promise<void> {
    await this.down('SIGKILL');
    this.directory.remove();
  }

  /** Sends a command as a line of text, and waits for the answer. */
  private async ask(command: string): Promise<void> {
    const socket = connect(this.address);
    try {
      await once(socket, 'connect');
      socket.write(`${command}\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      if (!answer.toString().startsWith('+')) throw new Error(`Redis answered ${command} with ${answer.toString()}`);
    } finally {
      socket.destroy();
    }
  }
}
