import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Settings } from '../config/index.js';
import type { AuditAction } from './audit-actions.js';

/**
 * Where events are to be sent. An endpoint is known by a hash of its URL: that may hold a secret, which is then neither
 * in the database nor in the log.
 */
@Injectable()
export class WebhookEndpoints {
  private readonly urls: ReadonlyMap<string, string>;
  private readonly wanted: ReadonlySet<string>;
  private readonly all: boolean;

  constructor({ webhookUrls, webhookEvents }: Settings) {
    this.urls = new Map(webhookUrls.map((url) => [idOf(url), url]));
    this.wanted = new Set(webhookEvents);
    this.all = this.wanted.has('*');
  }

  /** Whether there is any. */
  get some(): boolean {
    return this.urls.size > 0;
  }

  /** The endpoints that want to hear of an action. */
  for(action: AuditAction): readonly string[] {
    return this.all || this.wanted.has(action) ? [...this.urls.keys()] : [];
  }

  /** The URL of an endpoint; `null` when it is no longer among the settings. */
  urlOf(endpoint: string): string | null {
    return this.urls.get(endpoint) ?? null;
  }
}

function idOf(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 16);
}
