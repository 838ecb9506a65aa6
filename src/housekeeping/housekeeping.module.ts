import { Global, Module } from '@nestjs/common';
import { Housekeeping } from './housekeeping.js';

/** Global: whoever has rows that end says which. */
@Global()
@Module({ providers: [Housekeeping], exports: [Housekeeping] })
export class HousekeepingModule {}
