import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SettingsError } from './settings-error.js';

const RANDOM_BYTES = 48;
/** What `JWT_SECRET` wants as well. */
const FEWEST_CHARACTERS = 48;

/** A kind of secret that this server makes for itself. */
export interface GeneratedSecret {
  /** The name of its file. */
  readonly name: string;
  readonly make: () => string;
  /** A file with fewer characters is not whole. */
  readonly fewestCharacters: number;
  /** What follows when the file is deleted, as the end of "…, which". */
  readonly whenDeleted: string;
}

/**
 * A secret that was made once and is kept in the data directory, mode 0600. It is written whole under another name and
 * linked into place, so that a crash leaves no half of one.
 */
export class SecretFile {
  readonly path: string;

  constructor(
    dataDir: string,
    private readonly secret: GeneratedSecret,
  ) {
    this.path = join(dataDir, secret.name);
  }

  /** @throws SettingsError when there is a file, but no whole secret in it */
  read(): string | null {
    try {
      const text = readFileSync(this.path, 'utf8').trim();
      if (text.length < this.secret.fewestCharacters) this.refuse(text === '' ? 'is empty' : 'is too short to be whole');
      return text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** The secret, which is made first where there is none. Of two that make one at once, both get the same. */
  readOrMake(): string {
    return this.read() ?? this.write(this.secret.make());
  }

  private write(text: string): string {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const draft = `${this.path}.${randomBytes(6).toString('hex')}`;
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, `${text}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(draft, this.path);
    } catch (error) {
      // Another start was quicker: then its secret is the secret.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      unlinkSync(draft);
    }
    return this.read() ?? this.refuse('is gone again');
  }

  /** A secret that somebody may have tampered with is not replaced silently. */
  private refuse(fault: string): never {
    const { name, whenDeleted } = this.secret;
    throw new SettingsError([{ name, message: `${this.path} ${fault}: restore it, or delete it to have a new one made, which ${whenDeleted}` }]);
  }
}

const JWT_SECRET: GeneratedSecret = {
  name: 'jwt-secret',
  make: () => randomBytes(RANDOM_BYTES).toString('base64url'),
  fewestCharacters: FEWEST_CHARACTERS,
  whenDeleted: 'signs everybody out',
};

/** The secret that was generated at the first start with the embedded database. */
export function generatedJwtSecret(dataDir: string): string {
  return new SecretFile(dataDir, JWT_SECRET).readOrMake();
}

/** The file that it is kept in, where there is one. */
export function jwtSecretFile(dataDir: string): SecretFile {
  return new SecretFile(dataDir, JWT_SECRET);
}
