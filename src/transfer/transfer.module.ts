import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/index.js';
import { Exports } from './exports.js';
import { ImportedAccount } from './imported-account.entity.js';
import { KeyImport } from './key-import.js';
import { UserImport } from './user-import.js';

/** Accounts and keys that move in and out, with their hashes: for the command line alone. */
@Module({
  imports: [TypeOrmModule.forFeature([ImportedAccount]), AuditModule],
  providers: [Exports, KeyImport, UserImport],
  exports: [Exports, KeyImport, UserImport],
})
export class TransferModule {}
