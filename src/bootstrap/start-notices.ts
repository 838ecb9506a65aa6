import { Injectable } from '@nestjs/common';

/**
 * What the operator should read once the server has started. It is shown beside the address, where a generated secret
 * may be shown too, and never goes through the log.
 */
@Injectable()
export class StartNotices {
  private readonly collected: string[] = [];

  /** Adds a paragraph, a line an argument. */
  add(...lines: string[]): void {
    this.collected.push(lines.join('\n'));
  }

  /** The paragraphs so far. */
  get all(): readonly string[] {
    return this.collected;
  }
}
