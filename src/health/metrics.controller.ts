import { applyDecorators, Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public, RequireScopes } from '../access/index.js';
import { Metrics } from '../metrics/index.js';

/** Version 0.0.4 of the text format, which every scraper reads. */
const MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const Scraped = (): MethodDecorator =>
  applyDecorators(
    Header('content-type', MEDIA_TYPE),
    ApiOkResponse({ description: 'Metrics, in the text format of Prometheus', content: { 'text/plain': { schema: { type: 'string' } } } }),
  );

@ApiTags('Health')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  /** What Prometheus reads: requests, logins, refreshes, checks of credentials, the pool, the event loop. */
  @Get()
  @RequireScopes('metrics:read')
  @Scraped()
  scrape(): Promise<string> {
    return this.metrics.scrape();
  }
}

/** The same with `METRICS_PUBLIC`. */
@ApiTags('Health')
@Controller('metrics')
export class PublicMetricsController {
  constructor(private readonly metrics: Metrics) {}

  /** What Prometheus reads: requests, logins, refreshes, checks of credentials, the pool, the event loop. */
  @Get()
  @Public()
  @Scraped()
  scrape(): Promise<string> {
    return this.metrics.scrape();
  }
}
