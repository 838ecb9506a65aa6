import type { Settings } from '../../config/index.js';
import { type Finding, findingIf } from '../finding.js';

/** Fewer bits than this leave out hardly anybody. */
const NARROWEST_BITS = 8;

/** Whether anybody at all could say what address a request comes from. */
export function checkProxies({ trustProxy }: Settings): Finding[] {
  const wide = typeof trustProxy === 'object' ? trustProxy.find((range) => Number(range.split('/')[1] ?? 128) < NARROWEST_BITS) : undefined;
  return findingIf(trustProxy === true || wide !== undefined, {
    id: 'proxy-trusts-everybody',
    severity: 'error',
    title: `TRUST_PROXY is ${wide ?? 'true'}: whoever calls is taken for a proxy.`,
    meaning: 'Anybody can put any address into X-Forwarded-For, and so goes past the rate limit and writes what they like into the audit log.',
    remedy: 'Set TRUST_PROXY to the number of proxies before this server, or to their addresses.',
  });
}
