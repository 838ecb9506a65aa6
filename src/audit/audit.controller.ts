import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RequireScopes } from '../access/index.js';
import { AuditLog } from './audit-log.js';
import { auditEventBody, AuditEventPage, AuditQuery } from './audit.dto.js';

@ApiTags('Audit')
@Controller('audit-events')
export class AuditController {
  constructor(private readonly auditLog: AuditLog) {}

  /** Security events, newest first. */
  @Get()
  @RequireScopes('audit:read')
  @ApiOkResponse({ type: AuditEventPage })
  async list(@Query() query: AuditQuery): Promise<AuditEventPage> {
    const page = await this.auditLog.find(query, query);
    return { items: page.items.map(auditEventBody), nextCursor: page.nextCursor };
  }
}
