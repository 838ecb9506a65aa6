import { Injectable } from '@nestjs/common';

/**
 * Whether the server is on its way out. It still answers everybody then, but wants no more: `/health/ready` says so to
 * load balancers, and every answer asks its caller to come back on another connection (RFC 9112 §9.6).
 */
@Injectable()
export class Draining {
  private begun = false;

  get hasBegun(): boolean {
    return this.begun;
  }

  /** From now on; there is no way back. */
  begin(): void {
    this.begun = true;
  }
}
