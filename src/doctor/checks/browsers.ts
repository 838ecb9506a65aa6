import type { Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';
import { isLocalHost } from '../hosts.js';

const MANY = 20;

/** Whose pages may call the API with a signed-in person's cookies. */
export function checkBrowsers({ corsOrigin, nodeEnv }: Settings): Finding[] {
  const overHttp = corsOrigin.filter((origin) => origin.startsWith('http:') && !isLocalHost(new URL(origin).hostname));
  const local = corsOrigin.filter((origin) => /^https?:/.test(origin) && isLocalHost(new URL(origin).hostname));
  return [
    ...findingIf(overHttp.length > 0, {
      id: 'cors-over-http',
      severity: 'warning',
      title: `CORS_ORIGIN allows ${overHttp.join(', ')}, which is not encrypted.`,
      meaning: 'Whoever sits between a browser and that page can change it, and call this server as the person who is signed in.',
      remedy: 'Serve the page over https://, and name that origin in CORS_ORIGIN.',
    }),
    ...findingIf(corsOrigin.length > MANY, {
      id: 'cors-many-origins',
      severity: 'warning',
      title: `CORS_ORIGIN allows ${String(corsOrigin.length)} origins.`,
      meaning: 'A hole in any one of these pages is a hole in all of them: each may call this server as the person who is signed in.',
      remedy: 'Leave in CORS_ORIGIN only the dashboards that are in use.',
    }),
    ...findingIf(nodeEnv === 'production' && local.length > 0, {
      id: 'cors-local-pages',
      severity: 'warning',
      title: `CORS_ORIGIN allows ${local.join(', ')} in production.`,
      meaning: 'Whatever program listens on that port of a person’s own machine can call this server as that person.',
      remedy: 'Take the local origins out of CORS_ORIGIN; a development server of your own has settings of its own.',
    }),
  ];
}
