import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/index.js';
import { AuthModule } from '../auth/index.js';
import { UsersModule } from '../users/index.js';
import { BootstrapService } from './bootstrap.service.js';
import { ClaimToken } from './claim-token.js';
import { FirstRun } from './first-run.js';
import { Seeds } from './seeds.js';
import { SetupController } from './setup.controller.js';
import { SetupModule } from './setup.module.js';
import { StartNotices } from './start-notices.js';

/** Global: the product's module that takes somebody through the set-up says when it is complete. */
@Global()
@Module({
  imports: [ApiKeysModule, AuthModule, UsersModule, SetupModule],
  controllers: [SetupController],
  providers: [BootstrapService, FirstRun, Seeds, StartNotices],
  exports: [FirstRun, Seeds, SetupModule, StartNotices],
})
export class BootstrapModule {
  static forRoot(claimToken: ClaimToken): DynamicModule {
    return { module: BootstrapModule, providers: [{ provide: ClaimToken, useValue: claimToken }] };
  }
}
