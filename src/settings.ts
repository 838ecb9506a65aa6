import { existsSync, readFileSync } from 'node:fs';
import { AUDIT_ACTIONS } from './audit/index.js';
import { loadSettings as load, mergeEnvFile, type Settings, type SettingsSource } from './config/index.js';
import { DIALECTS } from './dialects/index.js';

/**
 * Reads and checks every setting, by the dialects that this server speaks and the events that it tells of.
 * @throws SettingsError that lists everything that is wrong
 */
export function loadSettings(source: Omit<SettingsSource, 'dialects' | 'securityEvents'>): Settings {
  return load({ ...source, dialects: DIALECTS, securityEvents: AUDIT_ACTIONS });
}

/** The same, with what a file `.env` in the working directory adds to the environment. */
export function readSettings({ env, ...source }: Omit<SettingsSource, 'dialects' | 'securityEvents'>): Settings {
  const file = existsSync('.env') ? readFileSync('.env', 'utf8') : '';
  return loadSettings({ ...source, env: mergeEnvFile(file, env) });
}
