import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net';

/** A line from one instance to a service, which can be cut, held up or slowed down. */
export class Line {
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((near) => { this.join(near); });
  private frozen = false;
  private delayMs = 0;
  private own = 0;

  private constructor(private readonly target: NetConnectOpts) {}

  static async open(target: NetConnectOpts): Promise<Line> {
    const line = new Line(target);
    await line.listen();
    line.own = (line.server.address() as AddressInfo).port;
    return line;
  }

  /** Where to connect instead, on loopback; it stays the same however often the line is cut. */
  get port(): number {
    return this.own;
  }

  /** Closes all connections and refuses new ones. */
  async cut(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Nothing passes, but nothing is closed either; what was sent meanwhile arrives when the line thaws. */
  freeze(): void {
    this.frozen = true;
    for (const socket of this.sockets) socket.pause();
  }

  /** Everything arrives this much later, in both directions. */
  slowDown(milliseconds: number): void {
    this.delayMs = milliseconds;
  }

  /** As if nothing had been. */
  async heal(): Promise<void> {
    this.delayMs = 0;
    this.frozen = false;
    for (const socket of this.sockets) socket.resume();
    if (!this.server.listening) await this.listen();
  }

  private async listen(): Promise<void> {
    this.server.listen(this.own, '127.0.0.1');
    await once(this.server, 'listening');
  }

  private join(near: Socket): void {
    const far = connect(this.target);
    this.carry(near, far);
    this.carry(far, near);
  }

  private carry(from: Socket, to: Socket): void {
    const waiting: { chunk: Buffer; due: number }[] = [];
    const pass = (): void => {
      while (waiting[0] !== undefined && waiting[0].due <= performance.now()) to.write(waiting.shift()!.chunk);
      if (waiting[0] !== undefined) setTimeout(pass, waiting[0].due - performance.now());
    };
    this.sockets.add(from);
    if (this.frozen) from.pause();
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      waiting.push({ chunk, due: performance.now() + this.delayMs });
      // What was sent first arrives first, also when the line has become faster meanwhile: it is waited for.
      if (waiting.length === 1) pass();
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.sockets.delete(from);
      waiting.length = 0;
      to.destroySoon();
    });
  }
}
