import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** What is done behind the requests' back: times of last use, for many of them together, housekeeping, and what an instance says of itself. */
export const BACKGROUND = /^(SELECT$|LISTEN|UPDATE (sessions|api_keys) SET last_used_at = now\(\) WHERE id IN|DELETE FROM \w+ WHERE \w+ = ANY)|advisory|pg_notify|server_instances|secret_ages/;

/** Stands between a server and its database, and notes the statements that pass. */
export interface StatementCounter {
  /** The database's URL, through the counter. */
  readonly url: string;
  /** What was executed since the last time, without the statements that begin and end transactions. */
  take(): string[];
  close(): Promise<void>;
}

const TRANSACTION_CONTROL = /^(begin|start transaction|commit|rollback)\b/i;

/** Reads what a client sends (PostgreSQL's frontend protocol), and tells of each statement when it is executed. */
class ClientMessages {
  private rest = Buffer.alloc(0);
  private started = false;
  private readonly prepared = new Map<string, string>();
  private readonly portals = new Map<string, string>();

  constructor(private readonly executed: (statement: string) => void) {}

  read(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (;;) {
      // The first message has no type; after it each has one, and a length that counts itself but not the type.
      const typed = this.started ? 1 : 0;
      if (this.rest.length < typed + 4) return;
      const end = typed + this.rest.readInt32BE(typed);
      if (this.rest.length < end) return;
      if (this.started) this.message(String.fromCharCode(this.rest[0]!), this.rest.subarray(5, end));
      this.started = true;
      this.rest = this.rest.subarray(end);
    }
  }

  private message(type: string, body: Buffer): void {
    const [first = '', second = ''] = body.toString('utf8').split('\0', 2);
    switch (type) {
      case 'Q': this.executed(first); break;
      case 'P': this.prepared.set(first, second); break;
      case 'B': this.portals.set(first, this.prepared.get(second) ?? '?'); break;
      case 'E': this.executed(this.portals.get(first) ?? '?'); break;
      default:
    }
  }
}

/** Opens a counter in front of the database that a URL points to; connections without TLS alone. */
export async function openCounter(target: string): Promise<StatementCounter> {
  const { hostname, port } = new URL(target);
  let statements: string[] = [];
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const messages = new ClientMessages((statement) => { statements.push(statement.trim()); });
    near.on('data', (chunk) => {
      messages.read(chunk);
      far.write(chunk);
    });
    far.on('data', (chunk) => near.write(chunk));
    for (const [one, other] of [[near, far], [far, near]] as const) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    take: () => {
      const taken = statements.filter((statement) => !TRANSACTION_CONTROL.test(statement));
      statements = [];
      return taken;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
