import { usageError } from './command-error.js';

/** What people would try, and what must never be given so. */
const SECRET_OPTION = /^--?(pass|passwd|password|pw|secret|token|key|api-?key|claim)(=|$)/i;

/** What to do instead. */
export const NOT_AN_ARGUMENT = 'everybody on this machine can read arguments (ps), and the shell keeps them. '
  + 'Leave it out to be asked for it, or give it with --stdin or from a file. If it was the real one, take another now';

/** Refuses options that would carry a secret, whatever the command. @throws CommandError */
export function refuseSecrets(argv: readonly string[]): void {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  const found = options.map((argument) => SECRET_OPTION.exec(argument)).find((match) => match !== null);
  if (found != null) throw usageError(`A secret cannot be an argument (${found[0].replace('=', '')}): ${NOT_AN_ARGUMENT}.`);
}
