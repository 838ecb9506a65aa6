/** What a command's end tells a script. Never changed once released. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 5,
  warnings: 6,
  errors: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For the help. */
export const EXIT_CODES = `
Exit codes (of start: 0 and 1 alone):
  0  done
  1  failed
  2  the command, an option or a setting is wrong
  3  there is no such account, key or session
  4  it conflicts with what is there (taken, the last owner, revoked)
  5  the database cannot be used: it is away, in use, or its schema is behind
  6  the doctor found warnings
  7  the doctor found errors`;
