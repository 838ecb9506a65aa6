import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Settings } from '../config/index.js';

/** The secrets whose age matters. */
export const AGEING_SECRETS = ['JWT_SECRET', 'JWT_SECRET_PREVIOUS'] as const;
export type AgeingSecret = (typeof AGEING_SECRETS)[number];

const SALT_BYTES = 16;
const FINGERPRINT_BYTES = 32;
/** Some 40 ms (RFC 7914): once a start, and dear to whoever would guess by a stolen row. */
const COST = { N: 16_384, r: 8, p: 1 };

/** A row of `secret_ages`. */
interface Remembered {
  readonly salt: Buffer;
  readonly fingerprint: Buffer;
  readonly first_seen_at: Date;
}

/** Remembers at each start since when the secrets are the ones they are. */
@Injectable()
export class SecretAges implements OnApplicationBootstrap {
  private readonly logger = new Logger(SecretAges.name);

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly settings: Settings,
  ) {}

  onApplicationBootstrap(): void {
    // Nobody waits for it, and without it an age is not known: the next start tries again.
    this.remember().catch((error: unknown) => {
      this.logger.debug(`The age of the secrets could not be noted: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  private async remember(): Promise<void> {
    const { jwtSecret, jwtSecretPrevious } = this.settings;
    await this.note('JWT_SECRET', jwtSecret);
    await this.note('JWT_SECRET_PREVIOUS', jwtSecretPrevious);
  }

  private async note(name: AgeingSecret, secret: string | undefined): Promise<void> {
    if (secret === undefined) {
      await this.dataSource.query('DELETE FROM secret_ages WHERE name = $1', [name]);
      return;
    }
    if ((await firstSeen(this.dataSource, name, secret)) !== null) return;
    const salt = randomBytes(SALT_BYTES);
    await this.dataSource.query(
      `INSERT INTO secret_ages (name, salt, fingerprint) VALUES ($1, $2, $3)
       ON CONFLICT (name) DO UPDATE SET salt = excluded.salt, fingerprint = excluded.fingerprint, first_seen_at = now()`,
      [name, salt, await fingerprintOf(secret, salt)],
    );
  }
}

/** When a server first ran with this very secret; `null` when none has said so. */
export async function firstSeen(dataSource: DataSource, name: AgeingSecret, secret: string): Promise<Date | null> {
  const [row] = await dataSource.query<Remembered[]>('SELECT salt, fingerprint, first_seen_at FROM secret_ages WHERE name = $1', [name]);
  if (row === undefined) return null;
  const fingerprint = await fingerprintOf(secret, row.salt);
  return timingSafeEqual(fingerprint, row.fingerprint) ? row.first_seen_at : null;
}

function fingerprintOf(secret: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, FINGERPRINT_BYTES, COST, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
