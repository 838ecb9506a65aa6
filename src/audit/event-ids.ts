/** UUIDs begin with the millisecond that they were made at, in 48 bits (version 7, RFC 9562 §5.7). */
const LATEST_MS = 2 ** 48 - 1;

/** When an event's id was made. */
export function timeOfId(id: string): Date {
  return new Date(parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/** The lowest id that could have been made at a time. */
export function lowestIdAt(milliseconds: number): string {
  const time = Math.min(Math.max(milliseconds, 0), LATEST_MS).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
