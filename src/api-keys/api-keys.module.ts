import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Housekeeping } from '../housekeeping/index.js';
import { ApiKeyChange } from './api-key-change.entity.js';
import { ApiKeyChanges, KEPT_SECONDS } from './api-key-changes.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([ApiKey, ApiKeyChange])],
  controllers: [ApiKeysController],
  providers: [ApiKeyChanges, ApiKeysService],
  exports: [ApiKeyChanges, ApiKeysService],
})
export class ApiKeysModule {
  constructor(housekeeping: Housekeeping) {
    housekeeping.add({ table: 'api_key_changes', key: 'id', since: 'changed_at', keptSeconds: KEPT_SECONDS, immutable: true });
  }
}
