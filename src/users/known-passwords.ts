import { foldIdentifier } from './identifiers.js';

/** From the documentation of this project and of those whose clients it serves, and what people set for the time being. */
const DOCUMENTED = [
  'changeme', 'three random words 42', 'three-random-words-42', 'admin', 'password', 'gatehouse', 'admin123', 'password123', 'Password123!', 'change-me',
  'secret', 'letmein', 'osmedeus', 'mosbot', 'asyncat', 'chatops', '12345678',
];

let common: Promise<readonly string[]> | undefined;

/** Some 50,000 passwords that attackers try first, the commonest first; read when they are first needed, not at start. */
export function commonPasswords(): Promise<readonly string[]> {
  common ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => dictionary['passwords-common'].map((word) => word.toLowerCase()));
  return common;
}

/**
 * What is tried first on an account: its own names, documented passwords, then the commonest.
 * @param mostCommon how many of those
 */
export async function firstGuesses(identifiers: readonly (string | null)[], mostCommon: number): Promise<string[]> {
  const names = identifiers.flatMap((identifier) => (identifier === null ? [] : [identifier, identifier.split('@')[0] ?? '']));
  const guesses = [...names, ...names.map((name) => name.toLowerCase()), ...DOCUMENTED, ...(await commonPasswords()).slice(0, mostCommon)];
  return [...new Set(guesses)].filter((guess) => guess !== '');
}

/** Whether a password is among all of these, in whatever case. */
export async function isKnownPassword(password: string, identifiers: readonly (string | null)[]): Promise<boolean> {
  const folded = foldIdentifier(password);
  return (await firstGuesses(identifiers, Infinity)).some((guess) => foldIdentifier(guess) === folded);
}
