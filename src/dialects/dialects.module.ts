import { type DynamicModule, Global, Module, type OnModuleInit } from '@nestjs/common';
import { AuthModule, CredentialReaders } from '../auth/index.js';
import { Settings } from '../config/index.js';
import { MountedDialects } from './mounted-dialects.js';

/** The mounted dialects: their controllers, and who reads the credentials below their paths. */
@Global()
@Module({})
export class DialectsModule implements OnModuleInit {
  constructor(
    private readonly mounted: MountedDialects,
    private readonly readers: CredentialReaders,
    private readonly settings: Settings,
  ) {}

  static forRoot(mounted: MountedDialects): DynamicModule {
    return {
      module: DialectsModule,
      imports: [AuthModule, ...mounted.all.map(({ module }) => module)],
      providers: [{ provide: MountedDialects, useValue: mounted }],
      exports: [MountedDialects],
    };
  }

  onModuleInit(): void {
    for (const { basePath, credentials } of this.mounted.all) {
      if (credentials !== undefined) this.readers.claim(basePath, credentials(this.settings));
    }
  }
}
