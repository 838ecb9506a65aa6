import { type DynamicModule, Module } from '@nestjs/common';
import type { Settings } from '../config/index.js';
import { Draining } from './draining.js';
import { HealthController } from './health.controller.js';
import { MetricsController, PublicMetricsController } from './metrics.controller.js';
import { PublicConfigController } from './public-config.controller.js';
import { ReadinessMetric } from './readiness-metric.js';
import { ReadinessCheck } from './readiness.js';

/** At the root of the server, whatever the native API's prefix. */
@Module({ controllers: [HealthController], providers: [Draining, ReadinessCheck, ReadinessMetric] })
export class HealthModule {
  static forRoot({ metricsPublic }: Settings): DynamicModule {
    return { module: HealthModule, controllers: [metricsPublic ? PublicMetricsController : MetricsController] };
  }
}

/** Below the native API's prefix. */
@Module({ controllers: [PublicConfigController] })
export class PublicConfigModule {}
