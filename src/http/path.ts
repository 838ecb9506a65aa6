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
