import type { DataSource } from 'typeorm';
import type { Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';
import { runningInstances } from '../server-instances.js';

/** What the servers that run say of themselves and of their requests. */
export async function checkInstances(dataSource: DataSource, { trustProxy }: Settings): Promise<Finding[]> {
  const instances = await runningInstances(dataSource);
  const forwardedBy = [...new Set(instances.flatMap(({ forwarded_by: by }) => by ?? []))];
  const past = [...new Set(instances.flatMap(({ came_past_proxies: by }) => by ?? []))];
  const trusted = typeof trustProxy === 'object' ? 'does not have it' : 'is not set';
  return [
    ...findingIf(instances.length > 1 && instances.some(({ principal_cache: cache }) => cache === 'memory'), {
      id: 'principal-cache-not-shared',
      severity: 'error',
      title: `${String(instances.length)} servers run on this database, and PRINCIPAL_CACHE is memory.`,
      meaning: 'Each remembers who is signed in for itself: what is revoked at one of them is still accepted by the others.',
      remedy: 'Set PRINCIPAL_CACHE=off on all of them, or REDIS_URL.',
    }),
    ...findingIf(forwardedBy.length > 0, {
      id: 'proxy-not-trusted',
      severity: 'warning',
      title: `Requests come with X-Forwarded-For from ${forwardedBy.join(', ')}, and TRUST_PROXY ${trusted}.`,
      meaning: 'If that is your proxy, all callers share its address: one of them can use up the rate limit of all, the audit log says nothing of where they '
        + 'are, and cookies are not Secure. If it is not, somebody tried to pass for another.',
      remedy: 'If it is your proxy, set TRUST_PROXY to the number of proxies or to their addresses; else nothing: the header was not believed.',
    }),
    ...findingIf(past.length > 0, {
      id: 'proxy-passed-by',
      severity: 'warning',
      title: `A request came from ${past.join(', ')} past a proxy that TRUST_PROXY=${String(trustProxy)} counts.`,
      meaning: 'Whoever gets to the server past a proxy says in X-Forwarded-For what address they like, and so goes past the rate limit and writes what they like into the audit log.',
      remedy: 'Let the server be reached by the proxies alone (HOST, a firewall); or set TRUST_PROXY to the number there really is, or to their addresses.',
    }),
  ];
}
