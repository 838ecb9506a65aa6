import { Option } from 'commander';
import type { Finding, Severity } from '../../doctor/index.js';
import type { Cli, DataOptions } from '../cli.js';
import { CommandError } from '../command-error.js';
import type { RegisterCommands } from '../command-group.js';
import { dataDirOption, examples } from '../command-group.js';
import { EXIT } from '../exit-codes.js';
import { shown } from '../output.js';

type Counts = Readonly<Record<Severity, number>>;

/** `gatehouse doctor`: what is wrong with this installation. */
export const doctorCommand: RegisterCommands = (program, cli) => {
  program
    .command('doctor')
    .summary('Says what is wrong with this installation, and what mends it')
    .description(
      'Looks at the settings, at the files of secrets and at the database, whether the server runs or not, and changes nothing. '
        + 'What cannot be looked at is a finding itself. Ends with 0 when there is nothing but notices, with 6 when the worst is a warning, with 7 when it is an error.',
    )
    .addOption(dataDirOption())
    .addOption(new Option('--skip-passwords', 'Leaves out trying well-known passwords on owners, which takes some seconds'))
    .addOption(new Option('--json', 'Prints {"findings": [{"id", "severity", "title", "meaning", "remedy"}], "complete"} as JSON, as the native API has it'))
    .addHelpText('after', examples('gatehouse doctor', 'gatehouse doctor --json --skip-passwords | jq -r .findings[].id'))
    .action(async ({ json, skipPasswords, ...options }: DataOptions & { json?: true; skipPasswords?: true }) => {
      const inspected = await cli.inspectSettings(options);
      const { diagnose } = await import('../diagnose.js');
      const examination = await diagnose(cli, inspected, skipPasswords !== true);
      if (json) await cli.out.json(examination);
      else await print(cli, examination.findings);
      endWith(count(examination.findings));
    });
};

async function print({ out }: Cli, findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) await out.line('Nothing is wrong.');
  for (const { id, severity, title, meaning, remedy } of findings) {
    await out.line(`${severity.toUpperCase()}  ${shown(title)}  (${id})`);
    await out.line(`  ${shown(meaning)}`);
    await out.line(`  Remedy: ${shown(remedy)}\n`);
  }
}

function count(findings: readonly Finding[]): Counts {
  const of = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  return { error: of('error'), warning: of('warning'), notice: of('notice') };
}

/** @throws CommandError where there is more than notices */
function endWith({ error, warning }: Counts): void {
  if (error === 0 && warning === 0) return;
  const said = [[error, 'error'], [warning, 'warning']].filter(([many]) => many !== 0).map(([many, what]) => `${String(many)} ${String(what)}${many === 1 ? '' : 's'}`);
  throw new CommandError(`The doctor found ${said.join(' and ')}.`, error > 0 ? EXIT.errors : EXIT.warnings);
}
