import { type BeforeApplicationShutdown, HttpException, Injectable, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ApiKeyPrincipal } from '../access/index.js';
import { ApiKeysService } from '../api-keys/index.js';
import { addressGroup, CredentialReaders } from '../auth/index.js';
import { Settings } from '../config/index.js';
import { AuthError } from '../errors/index.js';
import { requireLocalRequest, toAuthError } from '../http/index.js';
import { AgentConnections } from './agent-connections.js';
import { CONNECT_SCOPE, mayConnect } from './agent-rights.js';
import { AgentSocket, CLOSE } from './agent-socket.js';
import { Heartbeat } from './heartbeat.js';
import { UpgradeRequests } from './upgrade-requests.js';

const LARGEST_MESSAGE_BYTES = 64 * 1024;
const LONGEST_ANONYMOUS_MS = 10_000;
/** Connections that have not said who they are: from one address, and in all. */
const MOST_ANONYMOUS_OF_ADDRESS = 100;
const MOST_ANONYMOUS = 1_000;
const LONGEST_GOODBYE_MS = 1_000;

const HANDSHAKES = {
  noServer: true,
  clientTracking: false,
  maxPayload: LARGEST_MESSAGE_BYTES,
  // Costs some 300 KiB a connection, and more in work than small messages could save.
  perMessageDeflate: false,
  // A peer that is told to leave and does not is cut off.
  closeTimeout: LONGEST_GOODBYE_MS,
  // Answered by AgentSocket, which looks whether anybody reads the answers.
  autoPong: false,
};

/** What differs from one wire to another. */
export interface AgentWire {
  /**
   * The message that tells an agent that it is in.
   * @throws AuthError when the key is of no use on this wire
   */
  welcome(principal: ApiKeyPrincipal): object | Promise<object>;
}

/** Lets agents in: with a key in the header of the upgrade request, or in the first message. */
@Injectable()
export class AgentGateway implements BeforeApplicationShutdown {
  private readonly logger = new Logger(AgentGateway.name);
  private readonly handshakes = new WebSocketServer(HANDSHAKES);
  private readonly sockets = new Set<AgentSocket>();
  private readonly heartbeat = new Heartbeat(this.sockets);
  private readonly anonymous = new Map<string, number>();
  private goodbye: Promise<void> | null = null;

  constructor(
    private readonly upgrades: UpgradeRequests,
    private readonly connections: AgentConnections,
    private readonly apiKeys: ApiKeysService,
    private readonly credentials: CredentialReaders,
    private readonly settings: Settings,
  ) {}

  /**
   * Answers a request for a WebSocket. A credential in the headers alone decides; without one, the first message has to
   * bring it. A key in the URL is not looked at.
   * @throws AuthError, HttpException before anything is upgraded
   */
  async accept(request: FastifyRequest, reply: FastifyReply, wire: AgentWire): Promise<void> {
    if (this.goodbye !== null) throw new AuthError('unavailable', { detail: 'The server is stopping.' });
    this.requireHandshake(request, reply);
    // A key is asked for even where authentication is switched off: it says which agent this is.
    if (this.settings.authDisabled && !this.settings.authDisabledRemote) {
      requireLocalRequest(request.raw, 'Authentication is switched off, so only this machine may connect.');
    }
    const credential = this.credentials.read(request);
    if (credential.kind === 'none') {
      const leave = this.enterAnonymously(request.ip);
      const address = request.ip;
      this.upgrade(request, reply, (socket) => { this.awaitKey(socket, wire, address, leave); }, leave);
      return;
    }
    if (credential.kind !== 'api-key') throw new AuthError('missing_credential', { wanted: 'api-key', detail: 'Agents connect with an API key.' });
    const principal = await this.authenticate(credential.key);
    const welcome = await wire.welcome(principal);
    const address = request.ip;
    this.upgrade(request, reply, (socket) => { this.openKnown(socket, principal, welcome, address); });
  }

  /** For applications that are closed without `sayGoodbye`: a server with open connections would never stop. */
  beforeApplicationShutdown(): Promise<void> {
    return this.sayGoodbye();
  }

  /** Tells everybody that the server is going away, lets nobody in from now on, and resolves when all have gone. */
  sayGoodbye(): Promise<void> {
    return (this.goodbye ??= this.closeAll());
  }

  private async closeAll(): Promise<void> {
    this.connections.beginEnd();
    for (const socket of this.sockets) socket.close(CLOSE.goingAway, 'The server is stopping');
    const timer = setTimeout(() => { for (const socket of this.sockets) socket.cut(); }, LONGEST_GOODBYE_MS);
    await Promise.all([...this.sockets].map(({ closed }) => closed));
    clearTimeout(timer);
    await this.connections.end();
  }

  /** RFC 6455 §4.2.1; a request that is none learns what is spoken here (RFC 9110 §15.5.22). */
  private requireHandshake({ raw }: FastifyRequest, reply: FastifyReply): void {
    const { 'sec-websocket-version': version, 'sec-websocket-key': key } = raw.headers;
    if (this.upgrades.has(raw) && version === '13' && /^[+/0-9A-Za-z]{22}==$/.test(key ?? '')) return;
    void reply.headers({ connection: 'close, upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' });
    throw new HttpException('This is a WebSocket: connect with ws:// or wss://.', 426);
  }

  private async authenticate(key: string): Promise<ApiKeyPrincipal> {
    const principal = await this.apiKeys.authenticate(key);
    if (!mayConnect(principal)) throw new AuthError('insufficient_scope', { requiredScopes: [CONNECT_SCOPE] });
    return principal;
  }

  /** Counts a connection that has yet to say who it is. @returns what counts it out again */
  private enterAnonymously(address: string): () => void {
    const group = addressGroup(address);
    const ofAddress = this.anonymous.get(group) ?? 0;
    const all = [...this.anonymous.values()].reduce((sum, count) => sum + count, 0);
    if (this.settings.rateLimitEnabled && ofAddress >= MOST_ANONYMOUS_OF_ADDRESS) {
      throw new AuthError('too_many_requests', { retryAfterSeconds: LONGEST_ANONYMOUS_MS / 1000 });
    }
    if (all >= MOST_ANONYMOUS) throw new AuthError('overloaded');
    this.anonymous.set(group, ofAddress + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const left = (this.anonymous.get(group) ?? 1) - 1;
      if (left === 0) this.anonymous.delete(group);
      else this.anonymous.set(group, left);
    };
  }

  private upgrade(request: FastifyRequest, reply: FastifyReply, opened: (socket: WebSocket) => void, failed?: () => void): void {
    reply.hijack();
    const upgrade = this.upgrades.take(request.raw);
    if (upgrade === null) return;
    const { socket, head } = upgrade;
    if (failed !== undefined) socket.once('close', failed);
    this.handshakes.handleUpgrade(request.raw, socket, head, opened);
  }

  private open(socket: WebSocket, handler: (message: unknown) => Promise<void> | void): AgentSocket {
    const agent = new AgentSocket(socket, handler, (error) => { this.fail(agent, error); });
    this.sockets.add(agent);
    this.heartbeat.start();
    void agent.closed.then(() => this.sockets.delete(agent));
    // It came through the router before the stop, and out of the handshake after.
    if (this.goodbye !== null) agent.close(CLOSE.goingAway, 'The server is stopping');
    return agent;
  }

  /** Not in `accept`: what lives as long as the connection would keep the request with it. */
  private openKnown(socket: WebSocket, principal: ApiKeyPrincipal, welcome: object, address: string): void {
    const agent = this.open(socket, async (message) => {
      await admitted;
      answer(agent, message);
    });
    const admitted = this.settle(agent, () => this.admit(agent, principal, welcome, address));
  }

  private awaitKey(socket: WebSocket, wire: AgentWire, address: string, leave: () => void): void {
    let known = false;
    const agent = this.open(socket, async (message) => {
      if (known) {
        answer(agent, message);
        return;
      }
      await this.settle(agent, async () => {
        const principal = await this.authenticate(keyIn(message));
        await this.admit(agent, principal, await wire.welcome(principal), address);
        known = true;
        clearTimeout(timer);
        leave();
      });
    });
    const timer = setTimeout(() => { agent.close(CLOSE.policy, 'No API key within 10 seconds'); }, LONGEST_ANONYMOUS_MS);
    void agent.closed.then(() => { clearTimeout(timer); });
  }

  private async admit(agent: AgentSocket, principal: ApiKeyPrincipal, welcome: object, address: string): Promise<void> {
    if (!agent.isOpen) return;
    await this.connections.add(agent, principal);
    agent.send(welcome);
    this.logger.log(`An agent connected with the key ${principal.apiKeyId} from ${address}`);
    void agent.closed.then((code) => {
      this.logger.log(`The agent with the key ${principal.apiKeyId} disconnected (${String(code)})`);
    });
  }

  private fail(agent: AgentSocket, error: unknown): void {
    this.logger.error(error instanceof Error ? error : String(error));
    agent.close(CLOSE.fault, 'Something went wrong on the server');
  }

  /** Lets an agent in, or closes the connection and says why. */
  private async settle(agent: AgentSocket, admit: () => Promise<void>): Promise<void> {
    try {
      await admit();
    } catch (error) {
      const refusal = toAuthError(error);
      if (refusal === null || refusal.code === 'internal') this.fail(agent, error);
      else if (refusal.code === 'unavailable') agent.close(CLOSE.tryAgainLater, 'Try again later');
      else agent.close(CLOSE.policy, reasonOf(refusal));
    }
  }
}

/** What an agent may say once it is in. Of what else it says nothing is known here, nor minded. */
function answer(agent: AgentSocket, message: unknown): void {
  if (fieldOf(message, 'type') === 'ping') agent.send({ type: 'pong' });
}

/** @throws AuthError when a message is not `{"type":"auth","api_key":"…"}` */
function keyIn(message: unknown): string {
  const key = fieldOf(message, 'api_key');
  if (fieldOf(message, 'type') !== 'auth' || typeof key !== 'string') {
    throw new AuthError('missing_credential', { detail: 'The first message must be {"type":"auth","api_key":"..."}' });
  }
  return key;
}

function fieldOf(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? (message as Record<string, unknown>)[name] : undefined;
}

/** At most 123 bytes (RFC 6455 §5.5.1). */
function reasonOf({ code, details }: AuthError): string {
  if (code === 'insufficient_scope') return `The API key lacks the scope ${CONNECT_SCOPE}`;
  return details.detail ?? (details.reason === undefined ? 'Invalid API key' : 'API key is inactive');
}
