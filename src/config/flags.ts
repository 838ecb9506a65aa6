import { parseArgs } from 'node:util';
import { editDistance } from './edit-distance.js';
import { SETTING_VARIABLES } from './settings.js';
import type { Fault } from './settings-error.js';
import type { SettingVariable } from './variable.js';

/** What the command line says. */
export interface Flags {
  readonly help: boolean;
  readonly version: boolean;
  /** Text for variables, by their names, as if the environment had it. */
  readonly values: ReadonlyMap<string, string>;
  /** Never with a value in them: behind a flag that we do not know it may be a secret. */
  readonly faults: readonly Fault[];
}

interface Flag {
  /** As it is typed: `--port`. */
  readonly name: string;
  readonly takesValue: boolean;
  readonly description: string;
  /** What it sets; `--help` and `--version` set nothing. */
  readonly variable?: SettingVariable;
}

const FLAGS: readonly Flag[] = [
  ...SETTING_VARIABLES.flatMap(({ flag, ...variable }): Flag[] => flag === undefined ? [] : [{
    name: `--${flag}`,
    takesValue: variable.kind !== 'boolean',
    description: `Sets ${variable.name}${variable.kind === 'boolean' ? ' to true' : ''}.`,
    variable,
  }]),
  { name: '--help', takesValue: false, description: 'Shows this and ends.' },
  { name: '--version', takesValue: false, description: 'Shows the version and ends.' },
];

/** Reads the arguments after the script's name. */
export function parseFlags(argv: readonly string[]): Flags {
  const seen = new Set<string>();
  const values = new Map<string, string>();
  const faults: Fault[] = [];
  let lastUnknown: number | undefined;

  for (const token of tokensOf(argv)) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      // What follows an unknown flag is most likely its value, and the flag is a fault already.
      if (token.index - 1 !== lastUnknown) faults.push(strayArgument(token.index + 1));
      continue;
    }
    const flag = FLAGS.find(({ name }) => name === token.rawName);
    if (flag === undefined) {
      // `-abc` is three tokens of one argument.
      if (token.index !== lastUnknown) faults.push(unknownFlag(token.rawName));
      lastUnknown = token.index;
    } else if (flag.takesValue && isBlank(token.value)) {
      faults.push({ name: flag.name, message: `${flag.name} needs a value: ${usage(flag)}` });
    } else if (!flag.takesValue && token.value !== undefined) {
      faults.push({ name: flag.name, message: `${flag.name} takes no value` });
    } else {
      seen.add(flag.name);
      if (flag.variable !== undefined) values.set(flag.variable.name, token.value ?? 'true');
    }
  }
  return { help: seen.has('--help'), version: seen.has('--version'), values, faults };
}

/** For the help: every flag as it is typed, and what it does. */
export function describeFlags(): readonly { readonly usage: string; readonly description: string }[] {
  return FLAGS.map((flag) => ({ usage: usage(flag), description: flag.description }));
}

function tokensOf(argv: readonly string[]) {
  const options = Object.fromEntries(FLAGS.map((flag) =>
    [flag.name.slice(2), { type: flag.takesValue ? 'string' as const : 'boolean' as const }]));
  // Not strict, because strict throws at the first fault, and all are to be reported.
  return parseArgs({ args: withoutGaps(argv), options, strict: false, tokens: true }).tokens;
}

/** Outside its strict mode parseArgs takes `--host` in `--port --host x` for the port. */
function withoutGaps(argv: readonly string[]): string[] {
  const takesValue = (arg: string) => FLAGS.some((flag) => flag.takesValue && flag.name === arg);
  return argv.map((arg, i) => takesValue(arg) && argv[i + 1]?.startsWith('--') === true ? `${arg}=` : arg);
}

function isBlank(value: string | undefined): boolean {
  return value === undefined || value.trim() === '';
}

function usage({ name, takesValue }: Flag): string {
  return takesValue ? `${name} <value>` : name;
}

function unknownFlag(name: string): Fault {
  const variable = SETTING_VARIABLES.find((known) => `--${known.name.toLowerCase().replaceAll('_', '-')}` === name);
  const near = FLAGS.find((flag) => editDistance(flag.name, name) <= (flag.name.length < 8 ? 1 : 2));
  const hint = near !== undefined ? `; did you mean ${near.name}?`
    : variable !== undefined ? `; set the variable ${variable.name}`
      : '; see --help';
  return { name, message: `${name} is not a known flag${hint}` };
}

function strayArgument(position: number): Fault {
  const name = `argument ${position}`;
  return { name, message: `${name} belongs to no flag; see --help` };
}
