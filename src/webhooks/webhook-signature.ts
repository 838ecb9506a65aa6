import { createHmac } from 'node:crypto';

/**
 * The signature of a message as Standard Webhooks defines it: an HMAC-SHA256 over id, time and body, so that none of them
 * can be changed and an old message cannot be sent again as a new one.
 * @param secret `whsec_` and the key in base64
 * @param timestamp seconds since the epoch
 */
export function signWebhook(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${String(timestamp)}.${body}`).digest('base64')}`;
}
