import { Global, Module } from '@nestjs/common';
import { Metrics } from './metrics.js';

/** Global: whoever does something worth counting counts it. */
@Global()
@Module({ providers: [Metrics], exports: [Metrics] })
export class MetricsModule {}
