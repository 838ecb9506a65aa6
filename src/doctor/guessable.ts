import { deflateRawSync } from 'node:zlib';

/** What a secret should be worth, in bits: nobody tries so many. */
const ENOUGH_BITS = 128;
/** What deflate adds to anything. */
const OVERHEAD_BYTES = 5;
/** Letters that somebody typed; in a random text of this length they come once in a million. */
const TYPED = /secret|passw|example|insecure|token|gatehouse|qwert|keyboard|default|do[\W_]?not[\W_]?use|correct[\W_]?horse|12345678|abcdefgh/i;
/** From other projects' documentation; the rest of those that are known holds one of the words above. */
const PUBLISHED = new Set([
  '3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R',
  '0f987876650b4a085e64594fae9219e7781b17506bec02489ad061fba8cb22db',
]);

/** Why a secret could be guessed, as the end of "because it …"; `null` when it looks random. */
export function whyGuessable(secret: string): string | null {
  if (PUBLISHED.has(secret)) return 'stands in other projects’ documentation';
  if (TYPED.test(secret)) return 'holds words that people type';
  return bitsOf(secret) < ENOUGH_BITS ? 'repeats itself, or is too short for how few different characters it has' : null;
}

/**
 * What a text is worth at most, in bits: the entropy of its characters (Shannon), times as many of them as neither
 * repeat what was before nor follow on from their neighbour.
 */
function bitsOf(text: string): number {
  const characters = [...text];
  const counts = new Map<string, number>();
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  const each = [...counts.values()].reduce((sum, count) => sum - (count / characters.length) * Math.log2(count / characters.length), 0);
  const unrepeated = Math.min(characters.length, deflateRawSync(text, { level: 9 }).length + OVERHEAD_BYTES);
  const neighbours = characters.filter((character, at) => at > 0 && Math.abs(code(character) - code(characters[at - 1] ?? '')) <= 1);
  // A few are chance.
  const inOrder = neighbours.length > characters.length / 4 ? neighbours.length : 0;
  return each * (unrepeated - Math.min(inOrder, unrepeated));
}

function code(character: string): number {
  return character.codePointAt(0) ?? 0;
}
