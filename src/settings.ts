import { loadSettings as load, type Settings, type SettingsSource } from './config/index.js';
import { DIALECTS } from './dialects/index.js';

/**
 * Reads and checks every setting, by the dialects that this server speaks.
 * @throws SettingsError that lists everything that is wrong
 */
export function loadSettings(source: Omit<SettingsSource, 'dialects'>): Settings {
  return load({ ...source, dialects: DIALECTS });
}
