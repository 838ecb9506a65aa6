import { Injectable } from '@nestjs/common';
import { Settings } from '../config/index.js';
import { AuthError, type FieldError, invalidField } from '../errors/index.js';
import { isSoundSecret, UNSOUND_SECRET } from '../http/index.js';
import { foldIdentifier } from './identifiers.js';
import { commonPasswords } from './known-passwords.js';

/** Who chooses a password: it must not be one of these. */
export interface PasswordOwner {
  email: string | null;
  username: string | null;
}

/** What a person may choose as a password (NIST SP 800-63B §5.1.1.2): long enough, and not well known. */
@Injectable()
export class PasswordPolicy {
  private common: Promise<ReadonlySet<string>> | undefined;

  constructor(private readonly settings: Settings) {}

  /**
   * Refuses a password that is too short or too common.
   * @param field the field of the request that it came in
   * @param minLength code points of the NFKC form; a dialect may have its own
   * @throws AuthError `validation_failed` that names the field
   */
  async require(
    password: string,
    owner: PasswordOwner,
    field: string,
    minLength: number = this.settings.passwordMinLength,
  ): Promise<void> {
    if (!isSoundSecret(password)) throw invalidField(field, UNSOUND_SECRET);
    const fault = await this.findFault(password, owner, minLength);
    if (fault !== null) throw new AuthError('validation_failed', { fields: [{ field, ...fault }] });
  }

  private async findFault(password: string, owner: PasswordOwner, minLength: number): Promise<Omit<FieldError, 'field'> | null> {
    const normalized = password.normalize('NFKC');
    // Code points, not UTF-16 units: an emoji is one character to whoever types it.
    if ([...normalized].length < minLength) {
      return { message: `must have at least ${String(minLength)} characters`, rule: 'too_short', least: minLength };
    }
    const folded = normalized.toLowerCase();
    const own = [owner.email, owner.username].some((identifier) => identifier != null && foldIdentifier(identifier) === folded);
    if (own || (await this.commonPasswords()).has(folded)) return { message: 'Password is too common', rule: 'too_common' };
    return null;
  }

  private commonPasswords(): Promise<ReadonlySet<string>> {
    this.common ??= commonPasswords().then((words) => new Set(words));
    return this.common;
  }
}
