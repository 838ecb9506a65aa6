import { IsOptional } from 'class-validator';

/** The headings under which `--help` and `.env.example` list the variables, in their order. */
export const GROUPS = [
  'Server', 'Database', 'Tokens and sessions', 'API keys', 'Passwords and lockout', 'Rate limit',
  'Registration and documentation', 'Logs, metrics and audit', 'Web hooks', 'First accounts', 'No authentication', 'Dialects',
] as const;

/** One heading of the catalogue. */
export type VariableGroup = (typeof GROUPS)[number];

/** How the text of a variable is read. */
type VariableKind = 'text' | 'integer' | 'boolean' | 'duration' | 'choice' | 'list' | 'proxies';

/** A default that depends on other settings. */
interface ComputedDefault {
  /** For people: which default holds when. */
  readonly says: string;
  /** Gets the settings that were given and the fixed defaults, by property; returns text like a fixed default. */
  readonly from: (settings: Readonly<Record<string, unknown>>) => string;
}

/** What every kind of variable may say about itself. */
export interface VariableOptions {
  /** As one would write it in `.env`. Without one the setting is `undefined` when it is not given. */
  readonly default?: string | ComputedDefault;
  /** Never shown in messages, and may come from the file that `<NAME>_FILE` names. */
  readonly secret?: boolean;
  /** The flag, without `--`, that sets it too. */
  readonly flag?: string;
  /** The variable without which this one makes no sense: giving this one alone is a fault. */
  readonly needs?: string;
}

/** One variable of the catalogue. */
export interface SettingVariable extends VariableOptions {
  readonly name: string;
  readonly property: string;
  readonly kind: VariableKind;
  readonly group: VariableGroup;
  readonly description: string;
  /** What a value must be, as the end of "wants …". */
  readonly wants: string;
  /** Reads the text; gives it back as it was when it cannot, for class-validator to refuse. */
  readonly parse: (text: string) => unknown;
}

/** A decorator that compiles only on a property that can hold every `T`. */
export type PropertyOf<T> = <C extends object, K extends keyof C & string>(
  target: C,
  property: K & ([T] extends [C[K]] ? string : never),
) => void;

const recorded = new WeakMap<object, SettingVariable[]>();

/** Records a property as a variable; `checks` are class-validator's decorators for it. */
export function Variable<T>(
  definition: Omit<SettingVariable, 'name' | 'property'>,
  checks: readonly PropertyDecorator[],
): PropertyOf<T> {
  return (target, property) => {
    const variables = recorded.get(target) ?? [];
    variables.push({ ...definition, property, name: variableName(property) });
    recorded.set(target, variables);
    if (definition.default === undefined) IsOptional()(target, property);
    for (const check of checks) check(target, property);
  };
}

/** The variables that a class's decorators recorded, in the order of its properties. */
export function variablesOf(settingsClass: { readonly prototype: object }): readonly SettingVariable[] {
  return recorded.get(settingsClass.prototype) ?? [];
}

/** `bootstrapOwnerEmail` is read from `BOOTSTRAP_OWNER_EMAIL`. */
function variableName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
