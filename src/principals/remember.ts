/** Adds to a map that holds so much and no more: what was added first makes room. */
export function remember<V>(entries: Map<string, V>, id: string, value: V, most: number): void {
  if (entries.size >= most && !entries.has(id)) {
    // A Map iterates in the order of insertion: its first key is the oldest.
    const oldest = entries.keys().next();
    if (!oldest.done) entries.delete(oldest.value);
  }
  entries.set(id, value);
}
