import { validateSync, type ValidationError } from 'class-validator';
import { checkDialects, dialectDefault, type DialectRules, mountedOf } from './dialect-rules.js';
import { parseFlags } from './flags.js';
import { parseList } from './parse.js';
import { checkRules } from './rules.js';
import { SETTING_VARIABLES, Settings } from './settings.js';
import { SettingsError, wrongValue, type Fault } from './settings-error.js';
import { type Environment, find, findTypos, type Given, type ReadFile, readTextFile } from './sources.js';
import type { SettingVariable } from './variable.js';

/** Where settings come from. */
export interface SettingsSource {
  readonly env: Environment;
  /** The arguments after the script's name. */
  readonly argv?: readonly string[];
  /** For the files of `<NAME>_FILE`; reads the disk unless a test says otherwise. */
  readonly readFile?: ReadFile;
  /** The actions that `WEBHOOK_EVENTS` may name; the audit log stands above this folder, and is handed in by whoever loads. */
  readonly securityEvents?: readonly string[];
  /** The dialects that `DIALECTS` may name. */
  readonly dialects?: readonly DialectRules[];
}

/** What the source says, and everything that is wrong with it. */
export interface InspectedSettings {
  /** With the default, or nothing, in the place of what is wrong. */
  readonly settings: Settings;
  readonly faults: readonly Fault[];
}

/** The settings that the source says, or a `SettingsError` with everything that is wrong with them. */
export function loadSettings(source: SettingsSource): Settings {
  const { settings, faults } = inspectSettings(source);
  if (faults.length > 0) throw new SettingsError(faults);
  return settings;
}

/** The same for whoever goes on without what is wrong, to see what else is. */
export function inspectSettings({ env, argv = [], readFile = readTextFile, dialects = [], securityEvents = [] }: SettingsSource): InspectedSettings {
  const flags = parseFlags(argv);
  const found = SETTING_VARIABLES.map((variable) => ({ variable, ...find(variable, env, flags, readFile) }));
  const given = new Map(found.flatMap(({ variable, given }) => (given === undefined ? [] : [[variable.name, given]])));
  const settings = fill(given, dialects);

  const unread = found.flatMap(({ variable, fault }) => (fault === undefined ? [] : [{ variable, fault }]));
  const refused = validateSync(settings).map((error) => refusal(error, given));
  const own = [...unread, ...refused];
  const faulty = new Set(own.map(({ variable }) => variable.name));
  const between = checkRules({
    settings,
    given: new Set([...given.keys(), ...unread.map(({ variable }) => variable.name)]),
    faulty,
    source: (name) => given.get(name)?.source ?? name,
    mounted: mountedOf(settings.dialects, dialects),
  });

  const faults = [
    ...flags.faults,
    ...own.map(({ fault }) => fault),
    ...between,
    ...checkDialects(settings.dialects, dialects),
    ...checkEvents(settings.webhookEvents, securityEvents),
    ...findTypos(env),
  ];
  const good = new Map([...given].filter(([name]) => !faulty.has(name)));
  return { settings: Object.freeze(withSources(faulty.size === 0 ? settings : fill(good, dialects), env)), faults };
}

/** With the files that secrets came from, for who looks after their rights. */
function withSources(settings: Settings, env: Environment): Settings {
  const files = SETTING_VARIABLES.filter(({ secret }) => secret === true).map(({ name }) => ({ variable: `${name}_FILE`, path: env[`${name}_FILE`] ?? '' }));
  const secretFiles = files.filter(({ path }) => path !== '');
  return secretFiles.length === 0 ? settings : Object.assign(settings, { secretFiles });
}

/** Well-formed names of events that there are none of. */
function checkEvents(names: readonly string[], known: readonly string[]): Fault[] {
  return names
    .filter((name) => /^[a-z_]+\.[a-z_]+$/.test(name) && !known.includes(name))
    .map((name) => wrongValue('WEBHOOK_EVENTS', JSON.stringify(name), `*, or names with commas between, of ${known.join(', ')}`));
}

/** Reads what was given and the defaults; those that depend on other settings come last. */
function fill(given: ReadonlyMap<string, Given>, dialects: readonly DialectRules[]): Settings {
  const values: Record<string, unknown> = {};
  const mounted = mountedOf(parseList(given.get('DIALECTS')?.text ?? ''), dialects);
  for (const { name, property, parse, default: fallback } of SETTING_VARIABLES) {
    const text = given.get(name)?.text ?? dialectDefault(name, mounted) ?? (typeof fallback === 'string' ? fallback : undefined);
    if (text !== undefined) values[property] = parse(text);
  }
  for (const { property, parse, default: fallback } of SETTING_VARIABLES) {
    if (typeof fallback === 'object' && !(property in values)) values[property] = parse(fallback.from(values));
  }
  return Object.assign(new Settings(), values);
}

function refusal(error: ValidationError, given: ReadonlyMap<string, Given>): { variable: SettingVariable; fault: Fault } {
  const variable = SETTING_VARIABLES.find(({ property }) => property === error.property);
  if (variable === undefined) throw new Error(`Settings.${error.property} has checks but is not declared as a variable`);
  const { text = '', source = variable.name } = given.get(variable.name) ?? {};
  const got = variable.secret === true ? hidden(text, error.constraints ?? {}) : shortened(text);
  return { variable, fault: wrongValue(variable.name, got, variable.wants, source) };
}

/** Of a secret no more than what is wrong with it. */
function hidden(text: string, broken: Readonly<Record<string, string>>): string {
  if ('minLength' in broken) return `(hidden), ${[...text].length} characters`;
  return 'isNoPlaceholder' in broken ? '(hidden), which looks like a placeholder or repeats itself' : '(hidden)';
}

/** Quoted, so that spaces and control characters can be seen. */
function shortened(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
