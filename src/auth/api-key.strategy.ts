import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import type { ApiKeyPrincipal } from '../access/index.js';
import { ApiKeysService } from '../api-keys/index.js';
import { settle } from './ask-strategy.js';

/** Verifies API keys. */
@Injectable()
export class ApiKeyStrategy extends PassportStrategy(HeaderAPIKeyStrategy, 'api-key') {
  constructor(private readonly apiKeys: ApiKeysService) {
    super({ header: 'X-API-Key', prefix: '' }, false);
  }

  /** Passport's entry. A key that the access guard has read, wherever it was, is not looked for again. */
  override authenticate(request: never, options?: never): void {
    const { credential } = request as FastifyRequest;
    if (credential?.kind === 'api-key') settle(this, this.apiKeys.authenticate(credential.key));
    else super.authenticate(request, options);
  }

  /** @throws AuthError `invalid_api_key` */
  validate(key: string): ApiKeyPrincipal | Promise<ApiKeyPrincipal> {
    return this.apiKeys.authenticate(key);
  }
}
