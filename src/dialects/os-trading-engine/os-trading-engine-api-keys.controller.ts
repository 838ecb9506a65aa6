import { Controller } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApiKeysController } from '../../api-keys/index.js';

/** The native API's routes for keys, at the product's place and with its errors. */
@ApiTags('OS Trading Engine')
@Controller('api/v1/api-keys')
export class OsTradingEngineApiKeysController extends ApiKeysController {}
