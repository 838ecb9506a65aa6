import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { PublicConfigController } from './public-config.controller.js';
import { ReadinessCheck } from './readiness.js';

/** At the root of the server, whatever the native API's prefix. */
@Module({ controllers: [HealthController], providers: [ReadinessCheck] })
export class HealthModule {}

/** Below the native API's prefix. */
@Module({ controllers: [PublicConfigController] })
export class PublicConfigModule {}
