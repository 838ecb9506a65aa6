import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Role } from '../access/index.js';
import { AuditLog } from '../audit/index.js';
import { inUnhurriedTransaction } from '../database/index.js';
import type { Client } from '../http/index.js';
import type { ImportOptions, ImportOutcome, ImportReport } from './import-report.js';
import type { Format } from './source-record.js';
import { sourceRecords } from './source-records.js';
import { importStaged } from './staged-import.js';
import { faultOfUserColumns, unusedUserColumns } from './user-rows.js';
import { USER_SOURCES, type UserSourceName } from './user-sources.js';
import { userStaging } from './user-staging.js';
import { reportingUnused } from './unused-columns.js';

/** What is said about a file of accounts. */
export interface UserImportOptions extends ImportOptions {
  readonly source: UserSourceName;
  /** `null`: as the file begins. */
  readonly format: Format | null;
  /** What those are whose role the file does not say. */
  readonly defaultRole: Role;
  readonly allowOwners: boolean;
}

/** Moves accounts in from a file, with the hashes of their passwords. */
@Injectable()
export class UserImport {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Imports accounts: all of them or none, unless told to leave out what cannot be taken. Only adds: what is there already
   * stays as it is, so that a second time nothing changes.
   * @throws TransferError when the file cannot be read, or another import is under way
   */
  run(input: AsyncIterable<Buffer>, options: UserImportOptions, client: Client, report: ImportReport): Promise<ImportOutcome> {
    const source = USER_SOURCES[options.source];
    const { defaultRole, allowOwners } = options;
    const records = sourceRecords(input, options.format, (columns) => faultOfUserColumns(source, columns));
    return importStaged(
      (work) => inUnhurriedTransaction(this.dataSource, work),
      userStaging(this.dataSource, { source, defaultRole, allowOwners, now: new Date() }),
      reportingUnused(records, (columns) => unusedUserColumns(source, columns), report),
      options,
      report,
      async (manager, { imported, unchanged, refused }) => {
        if (imported === 0) return;
        const detail = { source: options.source, imported, unchanged, refused };
        await this.auditLog.record({ action: 'users.imported', client, detail }, manager);
      },
    );
  }
}
