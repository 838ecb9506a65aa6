import { spawnSync } from 'node:child_process';

/**
 * For suites that need programs that the tests do not bring along: left out where one is not installed, unless
 * `REQUIRE_<name>` wants it.
 */
export function describeWith(programs: readonly string[], name: string, file: string): jest.Describe {
  const missing = programs.filter((program) => spawnSync(program, ['--version']).error !== undefined).join(' and ');
  if (missing === '') return describe;
  if (process.env[`REQUIRE_${name}`] === '1') throw new Error(`${missing} is not there, and REQUIRE_${name}=1 wants it`);
  process.stderr.write(`Left out: test/${file} or a part of it, for want of ${missing}\n`);
  return describe.skip;
}
