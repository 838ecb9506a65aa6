import { type Command, Option } from 'commander';
import type { Role } from '../../access/index.js';
import type { UserView } from '../../users/index.js';
import type { Cli, DataOptions } from '../cli.js';
import { usageError } from '../command-error.js';
import { dataDirOption, examples, jsonOption, refuseMoreArguments, type RegisterCommands, ROLES, WHO } from '../command-group.js';
import type { Instance } from '../instance.js';
import { type ListOptions, listOptions, printList } from '../listing.js';
import { type PasswordOptions, passwordOptions, readPassword } from '../secret-input.js';

interface UserOptions extends DataOptions {
  json?: true;
}

/** `gatehouse user …`: the accounts. */
export const userCommands: RegisterCommands = (program, cli) => {
  const user = program.command('user').description('Accounts: who may sign in, and as what');
  list(user, cli);
  show(user, cli);
  create(user, cli);
  setPassword(user, cli);
  change(user, cli, {
    name: 'set-role', more: ['role', ROLES], summary: 'Makes an account an owner, an admin or a member',
    examples: ['gatehouse user set-role ada@example.com admin'],
    work: (on, id, role) => on.administration.update(on.by, id, { role: role as Role }),
    said: (name, role) => `${name} has the role ${role} now.`,
  });
  change(user, cli, {
    name: 'disable', summary: 'Ends the sessions of an account and suspends its keys, at once',
    examples: ['gatehouse user disable ada@example.com'],
    work: (on, id) => on.administration.update(on.by, id, { disabled: true }),
    said: (name) => `${name} is disabled: signed out everywhere, and no key of it is good.`,
  });
  change(user, cli, {
    name: 'enable', summary: 'Lets a disabled account in again',
    examples: ['gatehouse user enable ada@example.com'],
    work: (on, id) => on.administration.update(on.by, id, { disabled: false }),
    said: (name) => `${name} is enabled.`,
  });
  change(user, cli, {
    name: 'unlock', summary: 'Opens an account that too many wrong passwords have locked',
    examples: ['gatehouse user unlock ada@example.com'],
    work: (on, id) => on.administration.unlock(on.by, id),
    said: (name) => `${name} is unlocked.`,
  });
  change(user, cli, {
    name: 'sign-out', summary: 'Ends all sessions of an account, at once; its keys stay',
    examples: ['gatehouse user sign-out ada@example.com'],
    work: (on, id) => on.administration.signOut(on.by, id),
    said: (name) => `${name} is signed out everywhere.`,
  });
};

function list(user: Command, cli: Cli): void {
  listOptions(user.command('list').description('Lists accounts, newest first'), 'users')
    .option('--search <text>', 'Those with this in their email address, username or name')
    .addHelpText('after', examples('gatehouse user list', 'gatehouse user list --search example.com --json', 'gatehouse user list --all --json | jq -r .items[].email'))
    .action(({ search, ...options }: ListOptions & { search?: string }) =>
      cli.withInstance(options, async (on) => {
        const { userBody } = await import('../../users/index.js');
        await printList(cli.out, options, {
          headings: ['ID', 'EMAIL', 'USERNAME', 'ROLE', 'STATE', 'LAST LOGIN'],
          page: (query) => on.users.find(search, query),
          cells: (view) => [view.user.id, view.user.email, view.user.username, view.user.role, stateOf(view), view.user.lastLoginAt],
          json: userBody,
        });
      }),
    );
}

function show(user: Command, cli: Cli): void {
  user
    .command('show')
    .description('Shows an account')
    .argument('<user>', WHO)
    .addOption(dataDirOption())
    .addOption(jsonOption('the user'))
    .addHelpText('after', examples('gatehouse user show ada@example.com', 'gatehouse user show ada --json'))
    .action((who: string, options: UserOptions) =>
      cli.withInstance(options, async (on) => print(cli, options, await on.users.getView((await on.findUser(who)).id))));
}

function create(user: Command, cli: Cli): void {
  passwordOptions(user.command('create').description('Creates an account, with a password that is asked for'))
    .option('--email <address>', 'Email address; needed if there is no username')
    .option('--username <name>', 'Username; needed if there is no email address')
    .option('--name <name>', 'What the person is called')
    .addOption(new Option('--role <role>', 'What the account may do').choices(ROLES).default('member'))
    .addOption(dataDirOption())
    .addOption(jsonOption('the user (with "password", if it was generated)'))
    .allowExcessArguments()
    .addHelpText('after', examples(
      'gatehouse user create --email ada@example.com',
      'gatehouse user create --username ci --role admin --generate',
      'gatehouse user create --email ada@example.com --json --stdin < password.txt'))
    .action(async (options: UserOptions & PasswordOptions & { email?: string; username?: string; name?: string; role: Role }, command: Command) => {
      refuseMoreArguments(command);
      const { email, username, name, role } = options;
      if (email === undefined && username === undefined) throw usageError('An account needs --email or --username.');
      const { password, generated } = await readPassword(cli, options);
      await cli.withInstance(options, async (on) => {
        const { CreateUserBody } = await import('../../users/index.js');
        const body = await on.validated({ email, username, name, role, password }, CreateUserBody);
        const made = await on.administration.create(on.by, { email: null, username: null, name: null, ...body, role });
        await printWithPassword(cli, options, await on.users.getView(made.id), generated ? password : null, 'created');
      });
    });
}

function setPassword(user: Command, cli: Cli): void {
  passwordOptions(user.command('set-password').summary('Sets a new password, and signs the account out everywhere'))
    .description('Sets a new password, which is asked for, and signs the account out everywhere')
    .argument('<user>', WHO)
    .addOption(dataDirOption())
    .addOption(jsonOption('the user (with "password", if it was generated)'))
    .allowExcessArguments()
    .addHelpText('after', examples(
      'gatehouse user set-password ada@example.com',
      'gatehouse user set-password ada@example.com --generate',
      'gatehouse user set-password ada@example.com --stdin < password.txt'))
    .action(async (who: string, options: UserOptions & PasswordOptions, command: Command) => {
      refuseMoreArguments(command);
      const { password, generated } = await readPassword(cli, options);
      await cli.withInstance(options, async (on) => {
        const { id } = await on.findUser(who);
        await on.change(() => on.administration.setPassword(on.by, id, password));
        await printWithPassword(cli, options, await on.users.getView(id), generated ? password : null, 'has a new password, and is signed out everywhere');
      });
    });
}

/** A command that changes one account that there is. */
interface Change {
  name: string;
  summary: string;
  examples: string[];
  /** A second argument, one of a few words. */
  more?: readonly [name: string, choices: readonly string[]];
  work: (on: Instance, id: string, more: string) => Promise<unknown>;
  said: (name: string, more: string) => string;
}

function change(user: Command, cli: Cli, { name, summary, more, work, said, ...help }: Change): void {
  const command = user.command(name).description(summary).argument('<user>', WHO);
  if (more !== undefined) command.addArgument(command.createArgument(`<${more[0]}>`).choices(more[1]));
  command
    .addOption(dataDirOption())
    .addOption(jsonOption('the user'))
    .addHelpText('after', examples(...help.examples))
    .action((who: string, ...rest: unknown[]) => {
      const [value, options] = (more === undefined ? ['', rest[0]] : rest) as [string, UserOptions];
      return cli.withInstance(options, async (on) => {
        const { id } = await on.findUser(who);
        await on.change(() => work(on, id, value));
        const view = await on.users.getView(id);
        if (options.json) await print(cli, options, view);
        else await cli.out.line(said(nameOf(view), value));
      });
    });
}

async function print(cli: Cli, { json }: UserOptions, view: UserView): Promise<void> {
  const { userBody } = await import('../../users/index.js');
  if (json) return cli.out.json(userBody(view));
  const { user } = view;
  return cli.out.properties({
    ID: user.id, Email: user.email, Username: user.username, Name: user.name, Role: user.role, State: stateOf(view),
    'Disabled at': user.disabledAt, 'Locked until': view.lockedUntil, 'Last login': user.lastLoginAt, Created: user.createdAt, Changed: user.updatedAt,
  });
}

/** A generated password is all that goes to standard output, so that a script can take it. */
async function printWithPassword(cli: Cli, { json }: UserOptions, view: UserView, password: string | null, said: string): Promise<void> {
  const { userBody } = await import('../../users/index.js');
  if (json) return cli.out.json({ ...userBody(view), ...(password === null ? {} : { password }) });
  if (password === null) return cli.out.line(`${nameOf(view)} ${said === 'created' ? `was created (${view.user.id})` : said}.`);
  cli.out.note(`${nameOf(view)} ${said === 'created' ? `was created (${view.user.id})` : said}. The password, which is shown this once:`);
  return cli.out.line(password);
}

function nameOf({ user }: UserView): string {
  return user.email ?? user.username ?? user.id;
}

function stateOf({ user, lockedUntil }: UserView): string {
  if (user.disabledAt !== null) return 'disabled';
  return lockedUntil === null ? 'active' : 'locked';
}
