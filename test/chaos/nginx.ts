import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../support/client.js';
import { makeDirectory, type TestDirectory } from '../support/directory.js';

const PUBLISHED = join(__dirname, '..', '..', 'deploy', 'nginx.conf');
const TEMPORARY_FILES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** The load balancer, with the very configuration that is published; only its addresses and files are others. */
export class Nginx {
  private output = '';

  private constructor(
    private readonly port: number,
    private readonly directory: TestDirectory,
    private readonly server: ChildProcess,
  ) {
    server.stderr?.on('data', (chunk: Buffer) => { this.output = (this.output + chunk.toString()).slice(-20_000); });
  }

  /** Starts it in front of instances on loopback. */
  static async start(program: string, port: number, instances: readonly number[]): Promise<Nginx> {
    const directory = makeDirectory();
    const file = join(directory.path, 'nginx.conf');
    writeFileSync(file, configuration(directory.path, port, instances));
    // As root it gives up its rights; `nogroup` is what Debian calls the group of nobody.
    const globals = `daemon off;${process.getuid?.() === 0 ? ' user nobody nogroup;' : ''}`;
    const server = spawn(program, ['-p', directory.path, '-c', file, '-g', globals], { stdio: ['ignore', 'ignore', 'pipe'] });
    const nginx = new Nginx(port, directory, server);
    try {
      await nginx.untilListening();
      return nginx;
    } catch (error) {
      await nginx.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.server.exitCode === null && this.server.signalCode === null) {
      const gone = once(this.server, 'exit');
      this.server.kill('SIGTERM');
      await gone;
    }
    this.directory.remove();
  }

  private untilListening(): Promise<void> {
    return eventually(async () => {
      if (this.server.exitCode !== null) throw new Error(`nginx ended: ${this.output}`);
      const socket = connect(this.port, '127.0.0.1');
      await once(socket, 'connect').finally(() => socket.destroy());
    });
  }
}

/** The published file, for other addresses: what is replaced has to be there, just as often as expected. */
function configuration(directory: string, port: number, instances: readonly number[]): string {
  const replacements: [what: RegExp, by: string][] = [
    [/( +server )gatehouse-1:3000(.*\n) +server gatehouse-2:3000.*\n/g, instances.map((instance) => `$1127.0.0.1:${String(instance)}$2`).join('')],
    [/listen 8080;/g, `listen 127.0.0.1:${String(port)};`],
    [/pid \/tmp\/nginx\.pid;/g, `pid ${join(directory, 'nginx.pid')};`],
    [/^http \{$/gm, ['http {', ...TEMPORARY_FILES.map((name) => `  ${name}_temp_path ${join(directory, name)};`)].join('\n')],
    [/worker_processes auto;/g, 'worker_processes 1;'],
  ];
  return replacements.reduce((text, [what, by]) => {
    if (text.match(what)?.length !== 1) throw new Error(`${PUBLISHED} does not have ${String(what)} once`);
    return text.replace(what, by);
  }, readFileSync(PUBLISHED, 'utf8'));
}
