import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { MemoryCache } from './memory-cache.js';
import { NoCache } from './no-cache.js';
import { PrincipalCache } from './principal-cache.js';

/** Global: whoever ends a credential, in any module, must be able to have it forgotten. */
@Global()
@Module({
  providers: [
    {
      provide: PrincipalCache,
      inject: [Settings],
      useFactory: (settings: Settings) =>
        settings.principalCache === 'memory' ? new MemoryCache() : new NoCache(),
    },
  ],
  exports: [PrincipalCache],
})
export class PrincipalsModule {}
