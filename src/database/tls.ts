/** What libpq knows as weaker, and this driver takes for `verify-full`; its next version will not. */
const TAKEN_FOR_FULL = /([?&]sslmode=)(?:prefer|require|verify-ca)(?=[&#]|$)/;

/**
 * The same connection string, with the meaning of its `sslmode` nailed down: whoever asks for TLS gets it with the
 * server's certificate and name checked. Weaker meanings have to be asked for by name: `sslmode=no-verify`, or
 * `uselibpqcompat=true` for those of libpq.
 */
export function strictTls(url: string): string {
  return /[?&]uselibpqcompat=true(?=[&#]|$)/.test(url) ? url : url.replace(TAKEN_FOR_FULL, '$1verify-full');
}
