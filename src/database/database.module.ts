import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type DatabaseTarget, requestOptions, type RequestLimits } from './data-source-options.js';
import { PoolMetrics } from './pool-metrics.js';
import { PreparedQueries } from './prepared-queries.js';

/** The connections to PostgreSQL that serve requests. Its schema is up to date by then (`prepareDatabase`). */
@Global()
@Module({ providers: [PoolMetrics, PreparedQueries], exports: [PreparedQueries] })
export class DatabaseModule {
  static forRoot(target: DatabaseTarget, poolSize: number, limits: RequestLimits): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...requestOptions(target, poolSize, limits), autoLoadEntities: true, retryAttempts: 0 }),
        }),
      ],
    };
  }
}
