import { existsSync, readFileSync } from 'node:fs';
import { AUDIT_ACTIONS } from './audit/index.js';
import { inspectSettings as inspect, type InspectedSettings, loadSettings as load, mergeEnvFile, type Settings, type SettingsSource } from './config/index.js';
import { DIALECTS } from './dialects/index.js';

/**
 * Reads and checks every setting, by the dialects that this server speaks and the events that it tells of.
 * @throws SettingsError that lists everything that is wrong
 */
export function loadSettings(source: Source): Settings {
  return load(complete(source));
}

/** The same, with what a file `.env` in the working directory adds to the environment. */
export function readSettings(source: Source): Settings {
  return loadSettings(withEnvFile(source));
}

/** The same, going on without what is wrong: with the list of it. */
export function inspectSettings(source: Source): InspectedSettings {
  return inspect(complete(withEnvFile(source)));
}

type Source = Omit<SettingsSource, 'dialects' | 'securityEvents'>;

function complete(source: Source): SettingsSource {
  return { ...source, dialects: DIALECTS, securityEvents: AUDIT_ACTIONS };
}

function withEnvFile({ env, ...source }: Source): Source {
  const file = existsSync('.env') ? readFileSync('.env', 'utf8') : '';
  return { ...source, env: mergeEnvFile(file, env) };
}
