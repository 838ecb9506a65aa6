/** One thing that is wrong with the settings. */
export interface Fault {
  /** The variable, the flag or the argument it is about. */
  readonly name: string;
  /** One line that begins with that name. Never holds a secret. */
  readonly message: string;
}

/** The settings cannot be used; the message lists every fault. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly faults: readonly Fault[]) {
    const count = faults.length === 1 ? 'One setting is wrong' : `${faults.length} settings are wrong`;
    super([`${count}:`, ...faults.map((fault) => `  - ${fault.message}`)].join('\n'));
  }
}

/** The usual fault: what came, and what should have. `source` says where it came from, if not from the variable. */
export function wrongValue(name: string, got: string, wants: string, source = name): Fault {
  return { name, message: `${source}: got ${got}; wants ${wants}` };
}
