export { type AccessTokenClaims, AccessTokensService, isAccessToken } from './access-tokens.service.js';
export { verificationOptions } from './jwt-options.js';
export { SessionRotation } from './session-rotation.js';
export { sessionBody, SessionPage } from './sessions.dto.js';
export { SessionsModule } from './sessions.module.js';
export { SessionsService } from './sessions.service.js';
export { SigningKeys } from './signing-keys.js';
