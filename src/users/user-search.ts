import { Brackets } from 'typeorm';
import { foldIdentifier } from './identifiers.js';

/**
 * What a search looks through: the indexes `users_searched_trigrams_idx` and `users_searched_characters_idx` are on this
 * very expression. A line break, which no search contains, keeps one column from running on into the next.
 */
const SEARCHED = String.raw`(coalesce(user.email_folded, '') || E'\n' || coalesce(user.username_folded, '') || E'\n' || lower(coalesce(user.name, '')))`;

/** What trigrams are made of in every locale. */
const TRIGRAM = /[a-z0-9]{3}/;

/**
 * The accounts that contain a text, in the email address, the username or the name. Identifiers are folded already,
 * whatever the database's locale knows of capital letters; names are compared as that locale has it.
 */
export function matching(search: string): Brackets {
  const folded = foldIdentifier(search);
  // Of what has no trigram, the single characters are looked up.
  const contains = TRIGRAM.test(folded) ? containing : containingCharacters;
  return new Brackets((either) => {
    either.where(contains(':foldedPattern', ':folded'), { foldedPattern: patternOf(folded), folded });
    if (search !== folded) {
      either.orWhere(contains('lower(:typedPattern)', 'lower(:typed)'), { typedPattern: patternOf(search), typed: search });
    }
  });
}

function containing(pattern: string): string {
  return `${SEARCHED} LIKE ${pattern}`;
}

function containingCharacters(pattern: string, text: string): string {
  return `(${SEARCHED} LIKE ${pattern} AND string_to_array(${SEARCHED}, NULL) @> string_to_array(${text}, NULL))`;
}

/** A pattern of LIKE that finds a text anywhere, taken literally. */
function patternOf(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
