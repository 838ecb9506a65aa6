import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../../api-keys/index.js';
import { AuthModule } from '../../auth/index.js';
import { OsTradingEngineApiKeysController } from './os-trading-engine-api-keys.controller.js';
import { OsTradingEngineAuthController } from './os-trading-engine.controller.js';

@Module({
  imports: [ApiKeysModule, AuthModule],
  controllers: [OsTradingEngineAuthController, OsTradingEngineApiKeysController],
})
export class OsTradingEngineModule {}
