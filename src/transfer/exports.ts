import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { NIL as NIL_UUID } from 'uuid';
import type { Role } from '../access/index.js';
import { AuditLog } from '../audit/index.js';
import type { Client } from '../http/index.js';

/** So many rows are held at a time. */
const PAGE = 1_000;

const USERS = `
  SELECT id, email, username, name, picture_url AS "pictureUrl", role, password_hash AS "passwordHash", password_changed_at AS "passwordChangedAt",
         disabled_at AS "disabledAt", last_login_at AS "lastLoginAt", created_at AS "createdAt", updated_at AS "updatedAt"
    FROM users WHERE id > $1 ORDER BY id LIMIT ${PAGE}`;

// A username that looks like an id would be taken for one.
const KEYS = `
  SELECT k.id, coalesce(u.email, CASE WHEN u.username ~ '^[0-9a-fA-F]{8}-' THEN u.id::text ELSE u.username END) AS owner, k.name, k.prefix, encode(k.key_hash, 'hex') AS "keyHash", k.scopes,
         k.resource_type AS "resourceType", k.resource_id AS "resourceId", k.expires_at AS "expiresAt", k.retires_at AS "retiresAt",
         k.revoked_at AS "revokedAt", k.last_used_at AS "lastUsedAt", k.created_at AS "createdAt"
    FROM api_keys k LEFT JOIN users u ON u.id = k.user_id
   WHERE k.id > $1 ORDER BY k.id LIMIT ${PAGE}`;

/** An account with the hash of its password, as an import reads it. */
export interface ExportedUser {
  id: string;
  email: string | null;
  username: string | null;
  name: string | null;
  pictureUrl: string | null;
  role: Role;
  passwordHash: string | null;
  passwordChangedAt: Date | null;
  disabledAt: Date | null;
  lastLoginAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

/** A key by its hash, as an import reads it. */
export interface ExportedKey {
  id: string;
  /** `null`: the instance's own. */
  owner: string | null;
  name: string;
  prefix: string;
  /** SHA-256, in hexadecimal digits. */
  keyHash: string;
  scopes: string[];
  resourceType: string | null;
  resourceId: string | null;
  expiresAt: Date | null;
  retiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Date;
}

/** Hands out what there is, hashes included, page by page: nobody is locked in. */
@Injectable()
export class Exports {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly auditLog: AuditLog,
  ) {}

  /** Every account, in the order of the ids. The audit log tells of it before the first is handed out. */
  async* users(client: Client): AsyncGenerator<ExportedUser> {
    await this.auditLog.record({ action: 'users.exported', client });
    yield* this.pages<ExportedUser>(USERS);
  }

  /** Every key, revoked ones included, in the order of the ids. The audit log tells of it before the first is handed out. */
  async* apiKeys(client: Client): AsyncGenerator<ExportedKey> {
    await this.auditLog.record({ action: 'api_keys.exported', client });
    yield* this.pages<ExportedKey>(KEYS);
  }

  /** No transaction spans the pages: whoever reads may take all the time there is. */
  private async* pages<Row extends { id: string }>(statement: string): AsyncGenerator<Row> {
    for (let after: string | undefined = NIL_UUID; after !== undefined;) {
      const rows: Row[] = await this.dataSource.query(statement, [after]);
      yield* rows;
      after = rows.length < PAGE ? undefined : rows.at(-1)?.id;
    }
  }
}
