import type { Metrics } from '../metrics/index.js';

/** How often a check was answered from a cache, and how often PostgreSQL had to be asked. */
export type Lookups = Record<'hit' | 'miss', number>;

/** The counter of one cache. */
export function lookupsOf(cache: 'memory' | 'redis', metrics: Metrics): Lookups {
  const help = 'Checks of credentials that a cache answered (hit) or PostgreSQL (miss).';
  return metrics.tally({ name: 'gatehouse_principal_cache_lookups_total', help }, 'result', ['hit', 'miss'], { cache });
}
