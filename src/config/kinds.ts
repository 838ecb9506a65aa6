import { IsArray, IsBoolean, IsIn, IsInt, IsNotEmpty, IsString, Max, Min } from 'class-validator';
import { parseBoolean, parseDuration, parseInteger, parseList, parseProxies } from './parse.js';
import { type PropertyOf, Variable, type VariableGroup, type VariableOptions } from './variable.js';

/** Texts and lists say in words what they want; what they check stands in decorators beside. */
interface Worded extends VariableOptions {
  readonly wants: string;
}

interface Bounded<T> extends VariableOptions {
  readonly min: T;
  readonly max: T;
}

/** A variable that is taken as it stands. */
export function Text(group: VariableGroup, description: string, options: Worded): PropertyOf<string> {
  return Variable({ ...options, kind: 'text', group, description, parse: (text) => text }, [IsString(), IsNotEmpty()]);
}

/** A whole number between two bounds. */
export function Integer(group: VariableGroup, description: string, options: Bounded<number>): PropertyOf<number> {
  const { min, max, ...rest } = options;
  return Variable(
    { ...rest, kind: 'integer', group, description, wants: `a whole number from ${min} to ${max}`, parse: parseInteger },
    [IsInt(), Min(min), Max(max)],
  );
}

/** Yes or no. */
export function Switch(group: VariableGroup, description: string, options: VariableOptions): PropertyOf<boolean> {
  return Variable(
    { ...options, kind: 'boolean', group, description, wants: 'true or false', parse: parseBoolean },
    [IsBoolean()],
  );
}

/** A span of time, kept as whole seconds. */
export function Duration(group: VariableGroup, description: string, options: Bounded<string>): PropertyOf<number> {
  const { min, max, ...rest } = options;
  const wants = `a duration from ${min} to ${max}, such as 30s, 15m, 24h or 7d (a plain number is seconds)`;
  return Variable(
    { ...rest, kind: 'duration', group, description, wants, parse: parseDuration },
    [IsInt(), Min(Number(parseDuration(min))), Max(Number(parseDuration(max)))],
  );
}

/** One of a few words. */
export function Choice<const T extends string>(
  group: VariableGroup,
  description: string,
  values: readonly T[],
  options: VariableOptions,
): PropertyOf<T> {
  const wants = `one of ${values.join(', ')}`;
  return Variable({ ...options, kind: 'choice', group, description, wants, parse: (text) => text }, [IsIn(values)]);
}

/** Items between commas. */
export function List(group: VariableGroup, description: string, options: Worded): PropertyOf<readonly string[]> {
  return Variable({ ...options, kind: 'list', group, description, parse: parseList }, [IsArray()]);
}

/** Which proxies to believe: all, none, a number of hops, or those at some addresses. */
export function Proxies(
  group: VariableGroup,
  description: string,
  options: VariableOptions,
): PropertyOf<boolean | number | readonly string[]> {
  const wants = 'true, false, a number of hops from 1 to 32, or IP addresses and CIDR ranges with commas between';
  return Variable({ ...options, kind: 'proxies', group, description, wants, parse: parseProxies }, []);
}
