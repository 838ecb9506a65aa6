import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { type DatabaseTarget, dataSourceOptions } from './data-source-options.js';
import { migrate } from './migrate.js';
import { PreparedQueries } from './prepared-queries.js';

/** The connection to PostgreSQL, with its schema up to date before anything else starts. */
@Global()
@Module({ providers: [PreparedQueries], exports: [PreparedQueries] })
export class DatabaseModule {
  static forRoot(target: DatabaseTarget, poolSize: number): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...dataSourceOptions(target, poolSize), autoLoadEntities: true, retryAttempts: 0 }),
          dataSourceFactory: async (options) => {
            if (options === undefined) throw new Error('TypeORM gave no options');
            const dataSource = await new DataSource(options).initialize();
            await migrate(dataSource);
            return dataSource;
          },
        }),
      ],
    };
  }
}
