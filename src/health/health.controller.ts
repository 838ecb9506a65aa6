import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../access/index.js';
import { NativeApi, Settings } from '../config/index.js';
import { RETRY_WHEN_UNAVAILABLE } from '../http/index.js';
import { Draining } from './draining.js';
import { HealthBody, ReadinessBody } from './health.dto.js';
import { liveness } from './liveness.js';
import { isReady, ReadinessCheck } from './readiness.js';

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds until it is worth asking again.', schema: { type: 'integer' as const, example: RETRY_WHEN_UNAVAILABLE } },
};

@ApiTags('Health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly readiness: ReadinessCheck,
    private readonly draining: Draining,
    private readonly settings: Settings,
    private readonly nativeApi: NativeApi,
  ) {}

  /** Whether the process is alive. Touches nothing. */
  @Get()
  @Public()
  @ApiOkResponse({ type: HealthBody })
  live(): HealthBody {
    return liveness(this.settings, this.nativeApi);
  }

  /**
   * Whether the instance can do its work, and wants any: database and migrations, and that it is not stopping. Without
   * Redis it can, if more slowly.
   */
  @Get('ready')
  @Public()
  @ApiOkResponse({ type: ReadinessBody })
  @ApiServiceUnavailableResponse({ type: ReadinessBody, headers: RETRY_AFTER })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessBody> {
    const checks = await this.readiness.check();
    const ready = isReady(checks);
    if (!ready || this.draining.hasBegun) void reply.status(503).header('retry-after', String(RETRY_WHEN_UNAVAILABLE));
    return { status: this.draining.hasBegun ? 'stopping' : ready ? 'ready' : 'unready', checks };
  }
}
