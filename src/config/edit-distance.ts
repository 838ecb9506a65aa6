/**
 * Damerau-Levenshtein distance (optimal string alignment): how many letters were added, dropped, replaced
 * or swapped with their neighbour between two names; `Infinity` where it is clearly more than `atMost`.
 */
export function editDistance(a: string, b: string, atMost = Infinity): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, at(beforeLast, j - 2) + 1);
      row.push(best);
    }
    // A swap reaches back over one row.
    if (Math.min(...row) > atMost + 1) return Infinity;
    [beforeLast, last] = [last, row];
  }
  return at(last, b.length);
}

/** The index is always inside the row; this tells the compiler. */
function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
