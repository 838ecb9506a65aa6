import { connect } from 'node:net';
import type { Client } from 'pg';

/** PostgreSQL's protocol, "CancelRequest": a connection of its own that says which one is meant, and the secret it was given. */
const CANCEL_REQUEST = 80_877_102;
const LENGTH = 16;
const PATIENCE_MS = 5_000;

/**
 * Asks for the statement that a connection is at to be cancelled. If it is, the connection itself says so; to this request
 * the protocol has no answer.
 */
export function cancelStatement(client: Client): void {
  const { processID, secretKey } = client as unknown as { processID: number | null; secretKey: number | null };
  if (processID === null || secretKey === null) return;
  const message = Buffer.alloc(LENGTH);
  [LENGTH, CANCEL_REQUEST, processID, secretKey].forEach((value, at) => message.writeInt32BE(value, 4 * at));
  const { host, port } = client;
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${String(port)}`) : connect(port, host);
  // The other side closes it when the request is through; a pooler forgets a request whose connection was closed before.
  socket.on('error', () => undefined).setTimeout(PATIENCE_MS, () => { socket.destroy(); });
  socket.resume().unref().write(message);
}
