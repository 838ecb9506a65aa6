import { type DynamicModule, Global, Module } from '@nestjs/common';
import { NativeApi } from './native-api.js';
import { Settings } from './settings.js';

/** The settings, for every module. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(settings: Settings, nativeApi: NativeApi): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: Settings, useValue: settings },
        { provide: NativeApi, useValue: nativeApi },
      ],
      exports: [Settings, NativeApi],
    };
  }
}
