import type { Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';
import { isLocalHost } from '../hosts.js';

/** Below this, nobody notices a break-in before its traces are gone. */
const FEWEST_AUDIT_DAYS = 30;

/** What is open to more people than it need be, and what goes away sooner than it should. */
export function checkExposure({ metricsPublic, nodeEnv, host, webhookUrls, auditRetentionDays: days }: Settings): Finding[] {
  const overHttp = webhookUrls.map((url) => new URL(url)).filter(({ protocol, hostname }) => protocol === 'http:' && !isLocalHost(hostname));
  return [
    ...findingIf(metricsPublic, {
      id: 'metrics-public',
      severity: 'warning',
      title: 'METRICS_PUBLIC is on.',
      meaning: 'Whoever reaches /metrics sees how many people sign in, fail and are locked out, and when the server is in trouble.',
      remedy: 'Take METRICS_PUBLIC away, and give Prometheus a key with the scope metrics:read; or have the proxy keep /metrics from strangers.',
    }),
    ...findingIf(nodeEnv !== 'production' && !isLocalHost(host), {
      id: 'not-production',
      severity: 'notice',
      title: `NODE_ENV is ${nodeEnv}, and HOST=${host} is open to the network.`,
      meaning: 'Settings that are meant for one’s own machine, such as AUTH_DISABLED, are not refused.',
      remedy: 'Set NODE_ENV=production.',
    }),
    ...findingIf(overHttp.length > 0, {
      id: 'webhooks-over-http',
      severity: 'warning',
      title: `WEBHOOK_URLS sends events to ${[...new Set(overHttp.map(({ host: name }) => name))].join(', ')} unencrypted.`,
      meaning: 'Whoever is on the way there reads who signs in from where; the signature keeps them from changing it, not from reading.',
      remedy: 'Use https:// in WEBHOOK_URLS.',
    }),
    ...findingIf(days > 0 && days < FEWEST_AUDIT_DAYS, {
      id: 'audit-kept-briefly',
      severity: 'warning',
      title: `AUDIT_RETENTION_DAYS is ${String(days)}.`,
      meaning: 'Break-ins are often noticed after weeks; by then the audit log no longer says what happened.',
      remedy: 'Set AUDIT_RETENTION_DAYS to 90 or more, or take it away for the default of 365.',
    }),
  ];
}
