import { AuthError } from '../../errors/index.js';
import { fieldsOf } from '../dialect.js';

export function readLogin(body: unknown): { email: string; password: string; rememberMe: boolean } {
  const { email, password, rememberMe = false } = fieldsOf(body);
  if (isMissing(email) || isMissing(password)) throw refusal('Email and password are required');
  if (typeof email !== 'string') throw refusal('email must be a string');
  if (typeof password !== 'string') throw refusal('password must be a string');
  if (typeof rememberMe !== 'boolean') throw refusal('rememberMe must be a boolean');
  return { email, password, rememberMe };
}

export function readRefreshToken(body: unknown): string {
  const { refreshToken } = fieldsOf(body);
  if (isMissing(refreshToken)) throw refusal('Refresh token is required');
  if (typeof refreshToken !== 'string') throw refusal('refreshToken must be a string');
  return refreshToken;
}

export function readOptionalRefreshToken(body: unknown): string | undefined {
  const refreshToken = fieldsOf(body)['refreshToken'] ?? undefined;
  if (refreshToken !== undefined && typeof refreshToken !== 'string') throw refusal('refreshToken must be a string');
  return refreshToken;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function refusal(detail: string): AuthError {
  return new AuthError('validation_failed', { detail });
}
