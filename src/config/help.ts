import { describeFlags } from './flags.js';
import { SETTING_VARIABLES } from './settings.js';
import { GROUPS, type SettingVariable } from './variable.js';

/** What `--help` shows: the flags, and every variable with its default, by group. */
export function helpText(): string {
  const flags = describeFlags().map(({ usage, description }) => `  ${usage.padEnd(20)}${description}`);
  const groups = GROUPS.flatMap((group) => [
    '',
    group,
    ...SETTING_VARIABLES.filter((variable) => variable.group === group).flatMap(describe),
  ]);
  return [
    'Usage: npm start -- [flags]',
    '       node dist/main.js [flags]',
    '',
    'Flags (a flag wins over its variable)',
    ...flags,
    '',
    'Variables, from the environment or from .env in the working directory',
    ...groups,
  ].join('\n');
}

function describe({ name, description, secret, wants, default: fallback }: SettingVariable): string[] {
  const said = typeof fallback === 'object' ? ` (default: ${fallback.says})` : '';
  return [
    `  ${name}${typeof fallback === 'string' ? `=${fallback}` : said}`,
    `      ${description}`,
    `      Wants ${wants}${secret === true ? `; or ${name}_FILE, a file that holds it` : ''}.`,
  ];
}
