import { hostname, userInfo } from 'node:os';
import type { INestApplicationContext, LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { NIL as NIL_UUID } from 'uuid';
import type { ApiKeyPrincipal, Principal, UserPrincipal } from '../access/index.js';
import { ApiKeysService } from '../api-keys/index.js';
import { AuditLog } from '../audit/index.js';
import { OwnerRecovery } from '../bootstrap/index.js';
import type { Settings } from '../config/index.js';
import { prepareDatabase } from '../database/index.js';
import { type Client, NO_CLIENT, RequestValidation } from '../http/index.js';
import { suspendingMemories } from '../principals/index.js';
import { SessionsService } from '../sessions/index.js';
import { type Administrator, type User, UserAdministration, UsersService } from '../users/index.js';
import { CliModule } from './cli.module.js';
import { notFound } from './command-error.js';
import { type CommandDatabase, openDatabase, requireSchema } from './database.js';
import type { Output } from './output.js';

/** Whoever can read the database may do everything. */
const OPERATOR: UserPrincipal = { type: 'user', userId: NIL_UUID, sessionId: null, role: 'owner' };
/** The instance itself, as a maker of keys of its own. */
const INSTANCE: ApiKeyPrincipal = { type: 'api-key', apiKeyId: NIL_UUID, userId: null, role: null, scopes: ['*'], resource: null };

/** The instance that a command works on: the services that the server has, on the same data. */
export class Instance {
  private constructor(
    readonly settings: Settings,
    private readonly database: CommandDatabase,
    private readonly app: INestApplicationContext,
  ) {}

  /** @throws CommandError, EmbeddedPostgresError, and what the database says */
  static async open(settings: Settings, out: Output): Promise<Instance> {
    const database = await openDatabase(settings, out);
    try {
      const limits = await prepareDatabase(database.target, settings, requireSchema);
      const module = CliModule.forRoot(settings, database.target, limits);
      const app = await NestFactory.createApplicationContext(module, { logger: new Remarks(out), abortOnError: false });
      return new Instance(settings, database, app);
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** Whoever gave the command, for services that want to know and for the audit log. */
  readonly client: Client = { ...NO_CLIENT, operator: operatorName() };
  readonly operator: Principal = OPERATOR;
  readonly by: Administrator = { principal: OPERATOR, client: this.client };

  get users(): UsersService { return this.app.get(UsersService); }
  get administration(): UserAdministration { return this.app.get(UserAdministration); }
  get recovery(): OwnerRecovery { return this.app.get(OwnerRecovery); }
  get apiKeys(): ApiKeysService { return this.app.get(ApiKeysService); }
  get sessions(): SessionsService { return this.app.get(SessionsService); }
  get auditLog(): AuditLog { return this.app.get(AuditLog); }
  get dataSource(): DataSource { return this.app.get(DataSource); }

  /** Whether a server keeps the embedded database at this moment; `null` with a database elsewhere. */
  get serverRuns(): boolean | null {
    return this.database.serverRuns;
  }

  /** Any other service of the modules in `CliModule`. */
  get<T>(type: Type<T>): T {
    return this.app.get(type);
  }

  /** Makes a change that counts at once in running servers as well, whatever they remember. Not to be nested. */
  change<T>(work: () => Promise<T>): Promise<T> {
    return suspendingMemories(this.dataSource, work);
  }

  /** Holds values to the rules of a body of the API. @throws AuthError `validation_failed` */
  validated<Body extends object>(values: object, body: new () => Body): Promise<Body> {
    return new RequestValidation().validateBody(values, body);
  }

  /** @throws CommandError when there is no such account */
  async findUser(who: string): Promise<User> {
    const user = await this.users.findByName(who);
    if (user === null) throw notFound(`account ${JSON.stringify(who)}`);
    return user;
  }

  /** What a user may give away; of the instance itself, everything. */
  actingAs(user: User | null): Principal {
    return user === null ? INSTANCE : { type: 'user', userId: user.id, sessionId: null, role: user.role };
  }

  /** Lets go of everything; an embedded database that was started for this stops. */
  async close(): Promise<void> {
    await this.app.close().finally(() => this.database.close());
  }
}

/** What Nest and the services have to say beside their errors, which are told by whoever catches them. */
class Remarks implements LoggerService {
  constructor(private readonly out: Output) {}

  warn(message: unknown): void {
    this.out.note(`gatehouse: ${String(message)}`);
  }

  log(): void {
    // The tale of modules being loaded.
  }

  error(): void {
    // It is thrown as well.
  }
}

/** The account of the operating system, and the machine: several may share a database. */
function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // An account without an entry in /etc/passwd (a container with a bare --user).
    return `${String(process.getuid?.() ?? '?')}@${hostname()}`;
  }
}
