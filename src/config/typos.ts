import { editDistance } from './edit-distance.js';

/** Below this length every name has innocent neighbours (PORTS, HOSTS, GHOST): only swapped letters count. */
const SHORT = 6;
/** From this length on, two mistakes in one name are likelier than another program's variable. */
const LONG = 14;

/** Names one letter away from ours that other programs are known to read. */
const OTHER_PROGRAMS = new Set(['LOGLEVEL']);

/** The known name that an unknown one was probably meant to be. */
export function likelyMeant(unknown: string, known: readonly string[]): string | undefined {
  if (OTHER_PROGRAMS.has(unknown)) return undefined;
  return known
    .filter((name) => resembles(unknown, name))
    .sort((a, b) => editDistance(unknown, a) - editDistance(unknown, b))[0];
}

function resembles(unknown: string, name: string): boolean {
  if (Math.abs(unknown.length - name.length) > 2) return false;
  const distance = editDistance(unknown, name, 2);
  if (name.length < SHORT) return distance === 1 && sortedLetters(unknown) === sortedLetters(name);
  return distance <= (name.length < LONG ? 1 : 2) && sameWords(unknown, name);
}

/** PASSWORD_MAX_LENGTH is not PASSWORD_MIN_LENGTH misspelt: two letters of three make another word. */
function sameWords(unknown: string, name: string): boolean {
  const words = name.split('_');
  const unknownWords = unknown.split('_');
  if (words.length !== unknownWords.length) return true;
  return words.every((word, i) => editDistance(word, unknownWords[i] ?? '') <= (word.length <= 3 ? 1 : 2));
}

function sortedLetters(name: string): string {
  return [...name].sort().join('');
}
