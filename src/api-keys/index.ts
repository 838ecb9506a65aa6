export { ApiKeyChanges, type ChangesSeen } from './api-key-changes.js';
export { generatePlainKey, keyOfHash, knownKey } from './api-key-format.js';
export { ApiKey } from './api-key.entity.js';
export { apiKeyBody, CreateApiKeyBody, RotateApiKeyBody } from './api-keys.dto.js';
export { ApiKeysController } from './api-keys.controller.js';
export { ApiKeysModule } from './api-keys.module.js';
export { type ApiKeyRequest, ApiKeysService, type ImportedApiKey, type IssuedApiKey, resourceOf } from './api-keys.service.js';
