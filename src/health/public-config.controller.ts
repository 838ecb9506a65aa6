import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../access/index.js';
import { Settings, VERSION } from '../config/index.js';
import { PublicConfigBody } from './health.dto.js';

@ApiTags('Health')
@Controller('config')
export class PublicConfigController {
  constructor(private readonly settings: Settings) {}

  /** What a client needs to know before anybody has signed in. */
  @Get()
  @Public()
  @ApiOkResponse({ type: PublicConfigBody })
  get(): PublicConfigBody {
    const { registration, passwordMinLength, authDisabled, timezone } = this.settings;
    return { registration, passwordMinLength, authMode: authDisabled ? 'disabled' : 'local', timezone, version: VERSION };
  }
}
