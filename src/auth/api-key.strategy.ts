import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import type { ApiKeyPrincipal } from '../access/index.js';
import { ApiKeysService } from '../api-keys/index.js';

/** Verifies API keys. */
@Injectable()
export class ApiKeyStrategy extends PassportStrategy(HeaderAPIKeyStrategy, 'api-key') {
  constructor(private readonly apiKeys: ApiKeysService) {
    super({ header: 'X-API-Key', prefix: '' }, false);
  }

  /** @throws AuthError `invalid_api_key` */
  validate(key: string): ApiKeyPrincipal | Promise<ApiKeyPrincipal> {
    return this.apiKeys.authenticate(key);
  }
}
