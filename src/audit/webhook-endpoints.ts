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

  /** Those that the settings name. */
  get ids(): readonly string[] {
    return [...this.urls.keys()];
  }

  /** The endpoints that want to hear of an action. */
  for(action: AuditAction): readonly string[] {
    return this.all || this.wanted.has(action) ? this.ids : [];
  }

  /** The URL of one of them. */
  urlOf(endpoint: string): string {
    const url = this.urls.get(endpoint);
    if (url === undefined) throw new Error('the settings name no such endpoint');
    return url;
  }
}

function idOf(url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 16);
}
