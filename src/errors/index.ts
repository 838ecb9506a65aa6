export { AuthError, invalidField, type FieldError } from './auth-error.js';
export { AwayError, isAway } from './away.js';
export { AUTH_ERROR_CODES, type AuthErrorCode } from './codes.js';
