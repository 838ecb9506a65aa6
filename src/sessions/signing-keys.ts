import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';

/** What a key is for; each purpose gets a key of its own from the one secret (RFC 5869). */
type Purpose = 'refresh token' | 'device cookie' | 'key id';

function derive(secret: string, purpose: Purpose, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'gatehouse', purpose, bytes));
}

/** The keys that one secret stands for. */
class KeySet {
  /** For signing JWTs. A KeyObject: with a string `jsonwebtoken` is forty times slower. */
  readonly jwt: KeyObject;
  /** Goes into the JWT header (`kid`, RFC 7515 §4.1.4), so that a verifier knows which secret to take. */
  readonly keyId: string;
  private readonly macKeys: Record<'refresh token' | 'device cookie', KeyObject>;

  constructor(secret: string) {
    this.jwt = createSecretKey(Buffer.from(secret, 'utf8'));
    this.keyId = derive(secret, 'key id', 9).toString('base64url');
    this.macKeys = {
      'refresh token': createSecretKey(derive(secret, 'refresh token', 32)),
      'device cookie': createSecretKey(derive(secret, 'device cookie', 32)),
    };
  }

  mac(purpose: 'refresh token' | 'device cookie', text: string): Buffer {
    return createHmac('sha256', this.macKeys[purpose]).update(text).digest();
  }
}

/**
 * The keys behind `JWT_SECRET`, which signs and verifies, and `JWT_SECRET_PREVIOUS`, which only verifies, so that a
 * secret can be changed without signing everyone out.
 */
export class SigningKeys {
  private readonly current: KeySet;
  private readonly previous: KeySet | null;

  constructor(secret: string, previousSecret?: string) {
    this.current = new KeySet(secret);
    this.previous = previousSecret === undefined ? null : new KeySet(previousSecret);
  }

  /** The key that signs JWTs. */
  get jwtKey(): KeyObject {
    return this.current.jwt;
  }

  /** The `kid` of the key that signs. */
  get keyId(): string {
    return this.current.keyId;
  }

  /** The key that a JWT with this `kid` must have been signed with; `null` when the `kid` is none of ours. */
  jwtKeyFor(keyId: unknown): KeyObject | null {
    // The parameter is optional (RFC 7515 §4.1.4).
    if (keyId === undefined) return this.current.jwt;
    return [this.current, this.previous].find((keys) => keys?.keyId === keyId)?.jwt ?? null;
  }

  /** An HMAC-SHA-256 in base64url, by the current secret. */
  sign(purpose: 'refresh token' | 'device cookie', text: string): string {
    return this.current.mac(purpose, text).toString('base64url');
  }

  /** Whether a text was signed by the current or the previous secret; takes the same time wherever it differs. */
  verify(purpose: 'refresh token' | 'device cookie', text: string, signature: string): boolean {
    // Compared as text: base64url has several spellings for one MAC, and we write one of them.
    const given = Buffer.from(signature);
    return [this.current, this.previous].some((keys) => {
      if (keys === null) return false;
      const expected = Buffer.from(keys.mac(purpose, text).toString('base64url'));
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
  }
}
