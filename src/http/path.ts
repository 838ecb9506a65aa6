const ABSOLUTE = /^https?:\/\/[^/?#]*/i;

/** The target of a request without scheme and host, which some clients send as they would to a proxy (RFC 9112 §3.2.2). */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = target.replace(ABSOLUTE, '');
  return rest.startsWith('?') || rest === '' ? `/${rest}` : rest;
}

/** The path of a request as the router reads it: without the query, and `%61` is `a`. What cannot be read stays as it is. */
export function pathOf(url: string): string {
  const [path = url] = url.split('?', 1);
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** Whether a path is a base path, or below it. */
export function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}
