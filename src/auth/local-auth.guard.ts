import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { AuthError, invalidField } from '../errors/index.js';
import { isForm, RequestValidation } from '../http/index.js';
import { LoginBody } from './auth.dto.js';
import type { PasswordSignIn } from './auth.service.js';

/** What of a login body the strategy reads: one identifier, whichever field it came in. */
export interface LoginRequest {
  identifier: string;
  password: string;
  rememberMe: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `LocalAuthGuard`: who has just signed in. */
    signIn?: PasswordSignIn;
  }
}

/** What OAuth 2.0 clients send along with a password (RFC 6749 §4.3.2) and this server has no use for. */
const OAUTH2_FIELDS = ['grant_type', 'scope', 'client_id', 'client_secret'];

/**
 * Signs in before the handler runs. Guards run before pipes, so the body is validated here: passport-local would answer
 * a body of the wrong shape with a bare 401, and would read the query string for a field that is missing.
 */
@Injectable()
export class LocalAuthGuard extends AuthGuard('local') {
  constructor(private readonly validation: RequestValidation) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const body = await this.validation.validateBody(fieldsOf(request), LoginBody);
    const login: LoginRequest = {
      identifier: identifierOf(body),
      password: body.password,
      rememberMe: body.rememberMe ?? false,
    };
    request.body = login;
    return (await super.canActivate(context)) as boolean;
  }

  override getAuthenticateOptions(): { session: false; property: string } {
    return { session: false, property: 'signIn' };
  }

  override handleRequest<SignedIn>(error: unknown, signIn: SignedIn | false): SignedIn {
    if (error instanceof Error) throw error;
    if (signIn === false) throw new AuthError('invalid_credentials');
    return signIn;
  }
}

/** A form without what OAuth 2.0 adds, and with its one switch read: a form carries but text. JSON is as it came. */
function fieldsOf(request: FastifyRequest): unknown {
  if (!isForm(request)) return request.body;
  const fields = Object.entries((request.body ?? {}) as Record<string, unknown>).filter(([name]) => !OAUTH2_FIELDS.includes(name));
  return Object.fromEntries(fields.map(([name, value]) => [name, name === 'rememberMe' ? switchIn(value) : value]));
}

function switchIn(value: unknown): unknown {
  return value === 'true' || value === 'false' ? value === 'true' : value;
}

function identifierOf(body: LoginBody): string {
  const given = [body.email, body.username, body.identifier].filter((identifier) => identifier !== undefined);
  const [identifier, second] = given;
  if (identifier === undefined) throw invalidField('identifier', 'an email, a username or an identifier is needed');
  if (second !== undefined) throw invalidField('identifier', 'only one of email, username and identifier may be given');
  return identifier;
}
