import { type Command, Option } from 'commander';
import type { AuditEvent, AuditFilter } from '../../audit/index.js';
import type { Cli, DataOptions } from '../cli.js';
import { CommandError } from '../command-error.js';
import { dataDirOption, examples, type RegisterCommands, WHO, wholeNumber } from '../command-group.js';
import { EXIT } from '../exit-codes.js';
import { outputOption, writeExport } from '../export-output.js';
import { BEFORE_ALL, follow, followStart } from '../follow.js';
import type { Instance } from '../instance.js';
import type { Cell, Output } from '../output.js';

const PAGE = 1_000;
const MOST_LINES = 100_000;

interface FilterOptions extends DataOptions {
  user?: string;
  action?: string;
  outcome?: string;
  from?: string;
  to?: string;
}

/** `gatehouse audit …`: who did what. */
export const auditCommands: RegisterCommands = (program, cli) => {
  const audit = program.command('audit').description('The audit log: who did what, when, from where');
  tail(audit, cli);
  exportAudit(audit.command('export'), cli, 'gatehouse audit export');
};

function tail(audit: Command, cli: Cli): void {
  filterOptions(audit.command('tail').description('Prints the latest events, the newest last'))
    .addOption(new Option('-n, --lines <count>', 'How many').argParser(wholeNumber(0, MOST_LINES)).default(20))
    .addOption(new Option('-f, --follow', 'Goes on printing what happens, until Ctrl-C'))
    .addOption(new Option('--json', 'Prints an event a line as JSON, as the native API has it'))
    .addHelpText('after', examples('gatehouse audit tail', 'gatehouse audit tail --follow --user ada@example.com', 'gatehouse audit tail -n 0 -f --json --action login.failed'))
    .action((options: FilterOptions & { lines: number; follow?: true; json?: true }) =>
      cli.withInstance(options, async (on) => {
        if (options.follow && on.serverRuns === false) {
          throw new CommandError('No server runs on this data directory, so nothing will happen that could be followed.', EXIT.unavailable);
        }
        const print = await printer(cli.out, options.json);
        const filter = await filterOf(on, options);
        const { newest, seen } = await followStart(on, filter);
        const latest = (await latestEvents(on, filter, options.lines)).filter(({ id }) => id <= newest);
        await print(latest);
        if (options.follow) await follow(on, filter, { newest, seen: new Set([...seen, ...latest.map(({ id }) => id)]) }, print);
      }),
    );
}

/** Makes a command one that writes the log: `audit export`, and `export audit` beside the other exports. */
export function exportAudit(command: Command, cli: Cli, name: string): void {
  filterOptions(command.description('Writes the events, oldest first, an event a line as JSON, as the native API has it'))
    .addOption(outputOption())
    .addHelpText('after', examples(`${name} > audit.jsonl`, `${name} --from 2026-01-01 --to 2026-02-01 -o january.jsonl`))
    .action((options: FilterOptions & { output?: string }) =>
      cli.withInstance(options, async (on) => {
        const { auditEventBody } = await import('../../audit/index.js');
        const filter = await filterOf(on, options);
        await writeExport(cli, options.output, async (out) => {
          for (let after: string | undefined = BEFORE_ALL; after !== undefined;) {
            const events: AuditEvent[] = await on.auditLog.read(filter, after, PAGE);
            for (const event of events) await out.jsonLine(auditEventBody(event));
            // Whatever is added meanwhile may wait for the next export.
            after = events.length < PAGE ? undefined : events.at(-1)?.id;
          }
        });
      }),
    );
}

/** The latest events that a filter lets through, oldest first. */
async function latestEvents(on: Instance, filter: AuditFilter, count: number): Promise<AuditEvent[]> {
  const found: AuditEvent[] = [];
  let cursor: string | undefined;
  while (found.length < count) {
    const limit = Math.min(PAGE, count - found.length);
    const { items, nextCursor } = await on.auditLog.find(filter, { limit, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...items);
    if (nextCursor === null) break;
    cursor = nextCursor;
  }
  return found.reverse();
}

type PrintEvents = (events: readonly AuditEvent[]) => Promise<void>;

async function printer(out: Output, json: true | undefined): Promise<PrintEvents> {
  const { auditEventBody } = await import('../../audit/index.js');
  const table = out.table('TIME', 'ACTION', 'OUTCOME', 'ACTOR', 'SUBJECT', 'ADDRESS', 'DETAIL');
  const cells = (event: AuditEvent): Cell[] => {
    const { actor, subject, detail } = auditEventBody(event);
    const party = (one: typeof actor): string | null => (one === null ? null : `${one.type}:${one.id}`);
    return [event.at, event.action, event.outcome, party(actor), party(subject), event.ipAddress, detail === null ? null : JSON.stringify(detail)];
  };
  return async (events) => {
    if (!json) return table.add(events.map(cells));
    for (const event of events) await out.jsonLine(auditEventBody(event));
  };
}

function filterOptions(command: Command): Command {
  return command
    .addOption(new Option('--user <who>', `What this account did, or what was done to it (${WHO})`))
    .addOption(new Option('--action <action>', 'One kind of event, such as login.failed'))
    .addOption(new Option('--outcome <outcome>', 'What came of it').choices(['success', 'failure']))
    .addOption(new Option('--from <time>', 'The earliest time, such as 2026-01-15 or 2026-01-15T08:00:00Z'))
    .addOption(new Option('--to <time>', 'The latest time, which is not part of it'))
    .addOption(dataDirOption());
}

/** @throws CommandError, AuthError `validation_failed` */
async function filterOf(on: Instance, { user, action, outcome, from, to }: FilterOptions): Promise<AuditFilter> {
  const { AuditQuery } = await import('../../audit/index.js');
  const userId = user === undefined ? undefined : await idOf(on, user);
  const { limit: _, ...filter } = await on.validated({ userId, action, outcome, from, to }, AuditQuery);
  return filter;
}

/** The log outlives accounts: of one that was deleted the id is left. */
async function idOf(on: Instance, who: string): Promise<string> {
  return (await on.users.findByName(who))?.id ?? (/^[0-9a-f-]{36}$/i.test(who) ? who : (await on.findUser(who)).id);
}
