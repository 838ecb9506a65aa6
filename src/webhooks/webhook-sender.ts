import { Injectable } from '@nestjs/common';
import { type AuditEvent, auditEventBody } from '../audit/index.js';
import { Settings, VERSION } from '../config/index.js';
import { signWebhook } from './webhook-signature.js';

const LONGEST_ANSWER_MS = 10_000;

/** What became of an attempt; `gone` is an endpoint that wants no more of it, `abandoned` one that the server had no time for. */
export type Attempt = { readonly result: 'delivered' | 'abandoned' } | { readonly result: 'failed' | 'gone'; readonly error: string };

/** Sends one event to one URL. */
@Injectable()
export class WebhookSender {
  private readonly secret: string;

  constructor({ webhookSecret }: Settings) {
    this.secret = webhookSecret ?? '';
  }

  /**
   * Makes one attempt. Redirects are not followed, and nothing of the answer but its status is looked at.
   * @param signal gives it up: the server is stopping
   */
  async send(url: string, event: AuditEvent, signal: AbortSignal): Promise<Attempt> {
    const data = auditEventBody(event);
    const body = JSON.stringify({ type: event.action, timestamp: data.at, data });
    const timestamp = Math.floor(Date.now() / 1000);
    try {
      const answer = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_ANSWER_MS)]),
        headers: {
          'content-type': 'application/json',
          'user-agent': `Gatehouse/${VERSION}`,
          'webhook-id': event.id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': signWebhook(this.secret, event.id, timestamp, body),
        },
        body,
      });
      await answer.body?.cancel();
      if (answer.ok) return { result: 'delivered' };
      return { result: answer.status === 410 ? 'gone' : 'failed', error: `answered ${String(answer.status)}` };
    } catch (error) {
      if (signal.aborted) return { result: 'abandoned' };
      return { result: 'failed', error: reasonOf(error) };
    }
  }
}

/** What the network says, without the URL that it may name. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error.name === 'TimeoutError') return `no answer within ${String(LONGEST_ANSWER_MS / 1000)} s`;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code.slice(0, 100) : 'could not be reached';
}
