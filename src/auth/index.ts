export { AuthModule } from './auth.module.js';
export { AuthService, type SignIn } from './auth.service.js';
export { type CredentialReader, CredentialReaders, nativeCredentialReader, readBearer } from './credential.js';
export { DeviceCookie } from './device-cookie.js';
export { OptionalAccessToken, personBehind } from './optional-access-token.js';
export { addressGroup, RateLimited } from './rate-limit.js';
export type { TokenPolicy } from './token-policy.js';
