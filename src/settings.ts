import { AUDIT_ACTIONS } from './audit/index.js';
import { loadSettings as load, type Settings, type SettingsSource } from './config/index.js';
import { DIALECTS } from './dialects/index.js';

/**
 * Reads and checks every setting, by the dialects that this server speaks and the events that it tells of.
 * @throws SettingsError that lists everything that is wrong
 */
export function loadSettings(source: Omit<SettingsSource, 'dialects' | 'securityEvents'>): Settings {
  return load({ ...source, dialects: DIALECTS, securityEvents: AUDIT_ACTIONS });
}
