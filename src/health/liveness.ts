import { type NativeApi, type Settings, VERSION } from '../config/index.js';
import type { HealthBody, ReadinessBody } from './health.dto.js';

/** What a process that is alive says of itself; it takes nothing but the process. */
export function liveness({ authDisabled }: Settings, nativeApi: NativeApi): HealthBody {
  return {
    status: 'ok',
    timestamp: new Date().toISOString(),
    version: VERSION,
    nativeApi: nativeApi.path,
    ...(authDisabled ? { warnings: ['Authentication is switched off: every request is the owner’s.'] } : {}),
  };
}

/** What a process says that still waits for its database. */
export const UNREADY: ReadinessBody = { status: 'unready', checks: { database: 'down', migrations: 'down' } };
