import { Brackets } from 'typeorm';
import { foldIdentifier } from './identifiers.js';

/**
 * What a search looks through: the indexes `users_searched_trigrams_idx` and `users_searched_characters_idx` are on this
 * very expression. A line break, which no search contains, keeps one column from running on into the next.
 */
const SEARCHED = String.raw`(coalesce(user.email_folded, '') || E'\n' || coalesce(user.username_folded, '') || E'\n' || lower(coalesce(user.name, '')))`;

/**
 * The accounts that contain a text, in the email address, the username or the name. Identifiers are folded already,
 * whatever the database's locale knows of capital letters; names are compared as that locale has it.
 */
export function matching(search: string): Brackets {
  const folded = foldIdentifier(search);
  return new Brackets((either) => {
    either.where(contains(':foldedPattern', ':folded'), { foldedPattern: patternOf(folded), folded });
    if (search !== folded) {
      either.orWhere(contains('lower(:typedPattern)', 'lower(:typed)'), { typedPattern: patternOf(search), typed: search });
    }
  });
}

/**
 * A text of three letters is found by its trigrams, where PostgreSQL has pg_trgm; a shorter one, signs, and letters that
 * its locale takes for none, by the single characters.
 */
function contains(pattern: string, text: string): string {
  return `(${SEARCHED} LIKE ${pattern} AND string_to_array(${SEARCHED}, NULL) @> string_to_array(${text}, NULL))`;
}

/** A pattern of LIKE that finds a text anywhere, taken literally. */
function patternOf(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
