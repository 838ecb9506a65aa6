import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import type { ApiKeyPrincipal } from '../access/index.js';
import { ApiKeysService } from '../api-keys/index.js';

/** The header that the strategy reads; the access guard puts a key there that came another way. */
export const API_KEY_HEADER = 'x-api-key';

/** Verifies API keys. */
@Injectable()
export class ApiKeyStrategy extends PassportStrategy(HeaderAPIKeyStrategy, 'api-key') {
  constructor(private readonly apiKeys: ApiKeysService) {
    super({ header: API_KEY_HEADER, prefix: '' }, false);
  }

  /** @throws AuthError `invalid_api_key` */
  validate(key: string): Promise<ApiKeyPrincipal> {
    return this.apiKeys.authenticate(key);
  }
}
