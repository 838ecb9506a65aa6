import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import { inUnhurriedTransaction } from '../database/index.js';
import type { Client } from '../http/index.js';
import type { ImportOptions, ImportOutcome, ImportReport } from './import-report.js';
import { faultOfKeyColumns, unusedKeyColumns } from './key-rows.js';
import { keyStaging } from './key-staging.js';
import type { Format } from './source-record.js';
import { sourceRecords } from './source-records.js';
import { importStaged } from './staged-import.js';
import { reportingUnused } from './unused-columns.js';

/** What is said about a file of keys. */
export interface KeyImportOptions extends ImportOptions {
  /** `null`: as the file begins. */
  readonly format: Format | null;
  readonly allowInstanceKeys: boolean;
}

/** Moves API keys in from a file, by their hashes: whoever has them goes on using them. */
@Injectable()
export class KeyImport {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly auditLog: AuditLog,
  ) {}

  /**
   * Imports keys: all of them or none, unless told to leave out what cannot be taken. Only adds: a key that is there
   * already stays as it is, a revoked one revoked.
   * @throws TransferError when the file cannot be read, or another import is under way
   */
  run(input: AsyncIterable<Buffer>, options: KeyImportOptions, client: Client, report: ImportReport): Promise<ImportOutcome> {
    const records = sourceRecords(input, options.format, faultOfKeyColumns);
    return importStaged(
      (work) => inUnhurriedTransaction(this.dataSource, work),
      keyStaging({ allowInstanceKeys: options.allowInstanceKeys, now: new Date() }),
      reportingUnused(records, unusedKeyColumns, report),
      options,
      report,
      async (manager, { imported, unchanged, refused }) => {
        if (imported === 0) return;
        await this.auditLog.record({ action: 'api_keys.imported', client, detail: { imported, unchanged, refused } }, manager);
      },
    );
  }
}
