import {
  ArrayNotEmpty, IsTimeZone, Matches, MaxLength, MinLength,
} from 'class-validator';
import {
  AreOrigins, AreScopes, AreWebhookUrls, IsEmailAddress, IsListenHost, IsNoPlaceholder, IsPostgresUrl, IsRedisUrl, IsTrustProxy, IsUsername,
} from './checks.js';
import { Choice, Duration, Integer, List, Proxies, Switch, Text } from './kinds.js';
import { type SettingVariable, variablesOf } from './variable.js';

const SIGNING_SECRET = 'at least 48 characters that nobody can guess, no placeholder (make one: openssl rand -base64 48)';
const EMAIL = 'an email address, such as owner@example.com';

/**
 * Everything that can be set, once. A property's name says its variable (`jwtSecret` is `JWT_SECRET`), its
 * decorator the rest; the help, the search for typos and the test of `.env.example` follow from it.
 * Durations are whole seconds. To add a variable, add a property here and its lines to `.env.example`.
 */
export class Settings {
  @Choice('Server', 'What this instance is for; production refuses to run without authentication.',
    ['development', 'production', 'test'], { default: 'development' })
  readonly nodeEnv!: 'development' | 'production' | 'test';

  @Text('Server', 'Address or host name to listen on; 0.0.0.0 or :: opens it to the network.',
    { default: '127.0.0.1', flag: 'host', wants: 'an IP address or a host name, without scheme and port' })
  @IsListenHost()
  readonly host!: string;

  @Integer('Server', 'Port to listen on; 0 takes any free one. With asyncat as the only dialect the default is 8716.',
    { default: '3000', flag: 'port', min: 0, max: 65_535 })
  readonly port!: number;

  @Text('Server', 'Worker processes that share the port; auto is one for each core. More than one needs DATABASE_URL, or PRINCIPAL_CACHE=off.',
    { default: '1', wants: 'auto, or a whole number from 1 to 128' })
  @Matches(/^(auto|[1-9]\d?|1[01]\d|12[0-8])$/)
  readonly webConcurrency!: string;

  @Duration('Server', 'How long SIGTERM leaves the server open while /health/ready says 503, for load balancers to look elsewhere.',
    { default: '0s', min: '0s', max: '60s' })
  readonly shutdownDelay!: number;

  @Duration('Server', 'How long a request may take to arrive, to the end of its body (of its headers: a minute at most).', { default: '60s', min: '1s', max: '10m' })
  readonly requestTimeout!: number;

  @Text('Server', 'Directory of the embedded database and of generated secrets.',
    { default: './data', flag: 'data-dir', wants: 'the path of a directory' })
  readonly dataDir!: string;

  @Proxies('Server', 'Reverse proxies whose X-Forwarded-* headers are believed: all (true), none, the nearest few, or some addresses.',
    { default: 'false' })
  @IsTrustProxy()
  readonly trustProxy!: boolean | number | readonly string[];

  @List('Server', 'Origins whose pages may call this API from a browser; none when empty.',
    { default: '', wants: 'exact origins scheme://host[:port] in lower case, with commas between; no path, no default port, no *' })
  @AreOrigins()
  readonly corsOrigin!: readonly string[];

  @Text('Server', 'Time zone that clients are told to show times in.',
    { default: 'UTC', wants: 'the IANA name of a time zone, such as Europe/Berlin' })
  @IsTimeZone()
  @Matches(/^[A-Z]/i) // newer Node takes offsets such as +01:00 too, which are no names
  readonly timezone!: string;

  @Text('Database', 'PostgreSQL to use in place of the embedded one; JWT_SECRET is then required.', {
    secret: true,
    needs: 'JWT_SECRET',
    wants: 'a URL such as postgres://user:password@host:5432/database, special characters in it percent-encoded',
  })
  @IsPostgresUrl()
  readonly databaseUrl?: string;

  @Integer('Database', 'Most connections that each process keeps to the database.', { default: '10', min: 2, max: 1_000 })
  readonly databasePoolSize!: number;

  @Integer('Database', 'Milliseconds that a request waits for a connection to the database; then it is answered 503.',
    { default: '1500', min: 50, max: 60_000 })
  readonly databaseConnectTimeoutMs!: number;

  @Integer('Database', 'Milliseconds that a request waits for the answer to one statement; then it is answered 503.',
    { default: '1500', min: 50, max: 600_000 })
  readonly databaseQueryTimeoutMs!: number;

  @Integer('Database', 'Seconds that a start waits for a database that is not there yet.', { default: '30', min: 0, max: 86_400 })
  readonly databaseWaitSeconds!: number;

  @Choice('Database', 'Whether a pooler such as PgBouncer hands out connections a transaction at a time; auto finds out.',
    ['auto', 'true', 'false'], { default: 'auto' })
  readonly databasePooler!: 'auto' | 'true' | 'false';

  @Text('Database', 'Redis that instances share as a cache and for the counters of the rate limit.', {
    secret: true,
    wants: 'a URL such as redis://user:password@host:6379/0 (rediss:// for TLS), special characters in it percent-encoded',
  })
  @IsRedisUrl()
  readonly redisUrl?: string;

  @Choice('Database', 'Where the check that a session is still alive is read from; memory is right for a single instance only.',
    ['memory', 'redis', 'off'], {
      default: {
        says: 'redis with REDIS_URL, memory with the embedded database, off with DATABASE_URL alone',
        from: ({ databaseUrl, redisUrl }) => (redisUrl !== undefined ? 'redis' : databaseUrl === undefined ? 'memory' : 'off'),
      },
    })
  readonly principalCache!: 'memory' | 'redis' | 'off';

  @Text('Tokens and sessions', 'Signs access and refresh tokens; generated and kept in DATA_DIR with the embedded database.',
    { secret: true, wants: SIGNING_SECRET })
  @MinLength(48)
  @IsNoPlaceholder()
  readonly jwtSecret?: string;

  @Text('Tokens and sessions', 'The JWT_SECRET before this one: still verifies, so that changing the secret signs nobody out.',
    { secret: true, wants: SIGNING_SECRET })
  @MinLength(48)
  @IsNoPlaceholder()
  readonly jwtSecretPrevious?: string;

  @Text('Tokens and sessions', 'The iss claim of access tokens.', { default: 'gatehouse', wants: 'some text' })
  readonly jwtIssuer!: string;

  @Text('Tokens and sessions', 'The aud claim of access tokens.', { default: 'gatehouse', wants: 'some text' })
  readonly jwtAudience!: string;

  @Duration('Tokens and sessions', 'How long an access token is valid.', { default: '15m', min: '1s', max: '30d' })
  readonly accessTokenTtl!: number;

  @Duration('Tokens and sessions', 'How long a refresh token is valid; each refresh renews it.',
    { default: '24h', min: '1s', max: '365d' })
  readonly refreshTokenTtl!: number;

  @Duration('Tokens and sessions', 'The same after a login with rememberMe.', { default: '30d', min: '1s', max: '365d' })
  readonly refreshTokenTtlRemembered!: number;

  @Duration('Tokens and sessions', 'How long a refresh token just used may come again (two tabs, a lost answer) before it counts as stolen.',
    { default: '10s', min: '0s', max: '5m' })
  readonly refreshReuseGrace!: number;

  @Duration('Tokens and sessions', 'When a session ends however often it was refreshed.', { default: '90d', min: '1s', max: '3650d' })
  readonly sessionMaxAge!: number;

  @Text('API keys', 'What new API keys begin with, so that people and scanners recognise them. Keys that begin otherwise are taken in X-API-Key alone.',
    { default: 'gh', wants: '2 to 16 lower-case letters and digits' })
  @Matches(/^[a-z0-9]{2,16}$/)
  readonly apiKeyPrefix!: string;

  @Integer('Passwords and lockout', 'Cost of the bcrypt hash of a password; one more doubles the work.',
    { default: '12', min: 10, max: 15 })
  readonly bcryptCost!: number;

  @Integer('Passwords and lockout', 'Fewest characters of a password that a person chooses.', { default: '12', min: 8, max: 128 })
  readonly passwordMinLength!: number;

  @Integer('Passwords and lockout', 'Wrong passwords in a row that lock an account.', { default: '5', min: 1, max: 100 })
  readonly lockoutAttempts!: number;

  @Duration('Passwords and lockout', 'How long a locked account stays locked.', { default: '15m', min: '1s', max: '30d' })
  readonly lockoutDuration!: number;

  @Switch('Rate limit', 'Whether attempts to sign in are limited per client address.', { default: 'true' })
  readonly rateLimitEnabled!: boolean;

  @Integer('Rate limit', 'Attempts that one address has in each window.', { default: '100', min: 1, max: 1_000_000 })
  readonly rateLimitAttempts!: number;

  @Duration('Rate limit', 'Length of that window.', { default: '1m', min: '1s', max: '1d' })
  readonly rateLimitWindow!: number;

  @Choice('Registration and documentation', 'Whether strangers may make accounts of their own. With the dialect chatops the default is open.',
    ['open', 'closed'], { default: 'closed' })
  readonly registration!: 'open' | 'closed';

  @Switch('Registration and documentation', 'Whether /docs (Swagger UI) and /openapi.json are served.', { default: 'true' })
  readonly docsEnabled!: boolean;

  @Choice('Logs, metrics and audit', 'The least severe lines to write.',
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' })
  readonly logLevel!: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

  @Choice('Logs, metrics and audit', 'Lines for people (pretty) or for programs (json); auto is pretty in a terminal.',
    ['auto', 'json', 'pretty'], { default: 'auto' })
  readonly logFormat!: 'auto' | 'json' | 'pretty';

  @Switch('Logs, metrics and audit', 'Whether /metrics answers without a key that has the scope metrics:read.', { default: 'false' })
  readonly metricsPublic!: boolean;

  @Integer('Logs, metrics and audit', 'Days that events stay in the audit log; 0 keeps them for ever.', { default: '365', min: 0, max: 36_500 })
  readonly auditRetentionDays!: number;

  @List('Web hooks', 'Where security events are sent, signed; nowhere when empty.', {
    default: '',
    needs: 'WEBHOOK_SECRET',
    wants: 'URLs with commas between, https:// (in production) or http://, without user, password and fragment',
  })
  @AreWebhookUrls()
  readonly webhookUrls!: readonly string[];

  @Text('Web hooks', 'Signs what is sent, as Standard Webhooks has it.', {
    secret: true,
    wants: 'whsec_ and 32 to 64 random bytes in base64 (make one: echo whsec_$(openssl rand -base64 32))',
  })
  @Matches(/^whsec_[A-Za-z0-9+/]{43,86}={0,2}$/)
  @IsNoPlaceholder()
  readonly webhookSecret?: string;

  @List('Web hooks', 'Which events are sent.', { default: '*', wants: '*, or actions of the audit log with commas between' })
  @ArrayNotEmpty()
  @Matches(/^(\*|[a-z_]+\.[a-z_]+)$/, { each: true })
  readonly webhookEvents!: readonly string[];

  @Text('First accounts', 'Email address of the owner that the first start makes; never touched later.',
    { wants: EMAIL })
  @IsEmailAddress()
  readonly bootstrapOwnerEmail?: string;

  @Text('First accounts', 'User name of that owner, beside the address or in place of it.',
    { wants: 'at most 64 letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit' })
  @IsUsername()
  readonly bootstrapOwnerUsername?: string;

  @Text('First accounts', 'Password of that owner; take it out of the environment after the first login.',
    { secret: true, wants: 'at least 12 characters, and no fewer than PASSWORD_MIN_LENGTH; no well-known password' })
  readonly bootstrapOwnerPassword?: string;

  @Text('First accounts', 'Name of that owner.', { default: 'Owner', wants: 'at most 200 characters' })
  @MaxLength(200)
  readonly bootstrapOwnerName!: string;

  @Text('First accounts', 'Email address of an owner that every start makes or changes to match these two variables.',
    { needs: 'ADMIN_PASSWORD', wants: EMAIL })
  @IsEmailAddress()
  readonly adminEmail?: string;

  @Text('First accounts', 'Password of that account; no rule of strength applies to it.',
    { secret: true, needs: 'ADMIN_EMAIL', wants: 'a password' })
  readonly adminPassword?: string;

  @Text('First accounts', 'An API key of your own making that the first start imports, for CI.',
    { secret: true, wants: 'at least 32 ASCII characters without white space (make one: openssl rand -hex 32)' })
  @MinLength(32)
  @Matches(/^[\x21-\x7e]+$/) // it travels in a header
  readonly bootstrapApiKey?: string;

  @List('First accounts', 'What that key may do.', {
    default: '*',
    needs: 'BOOTSTRAP_API_KEY',
    wants: 'scopes with commas between, each *, resource:* or resource:action (lower-case letters and digits, single hyphens between)',
  })
  @ArrayNotEmpty()
  @AreScopes()
  readonly bootstrapApiKeyScopes!: readonly string[];

  @Switch('No authentication', 'Takes every request for the owner\'s; answers this machine alone.',
    { default: 'false', flag: 'no-auth' })
  readonly authDisabled!: boolean;

  @Switch('No authentication', 'Lets other machines in too while AUTH_DISABLED is on.', { default: 'false' })
  readonly authDisabledRemote!: boolean;

  @List('Dialects', 'Products whose clients are to be served too: mosbot, os-trading-engine, osmedeus, asyncat, chatops.',
    { default: '', wants: 'names of dialects with commas between' })
  readonly dialects!: readonly string[];

  @Text('Dialects', 'How long the tokens of mosbot and asyncat are valid.',
    { default: '7d', wants: 'a duration such as 30m, 24h or 7d (a plain number is seconds)' })
  @Matches(/^[1-9]\d{0,8}[smhd]?$/)
  readonly jwtExpiresIn!: string;

  @Integer('Dialects', 'How many minutes the tokens of osmedeus are valid.', { default: '1440', min: 1, max: 525_600 })
  readonly jwtExpirationMinutes!: number;

  @Switch('Dialects', 'Whether osmedeus takes API keys in the header x-osm-api-key.', { default: 'true' })
  readonly enabledAuthApi!: boolean;

  @Text('Dialects', 'The API key of osmedeus; the first start makes one and shows it when there is none.',
    { secret: true, wants: 'ASCII characters without white space, no placeholder such as null, undefined or nil' })
  @Matches(/^(?!(?:null|undefined|nil)$)[\x21-\x7e]+$/i)
  readonly authApiKey?: string;

  @Text('Dialects', 'Email address of the account that asyncat seeds where there is none.', { default: 'admin@local', wants: EMAIL })
  @IsEmailAddress()
  readonly localEmail!: string;

  @Text('Dialects', 'Password of that account, in place of changeme; set-up then counts as complete.',
    { secret: true, wants: 'a password' })
  readonly localPassword?: string;

  @Switch('Dialects', 'Lets other machines use the first run of asyncat.', { default: 'false' })
  readonly allowRemoteFirstRun!: boolean;

  @Switch('Dialects', 'Lets other machines in while the seeded default password of asyncat is unchanged.', { default: 'false' })
  readonly allowDefaultPassword!: boolean;

  /** No variable: the files that secrets were read from, if any. */
  readonly secretFiles?: readonly { readonly variable: string; readonly path: string }[];
}

/** Every variable, as its property in `Settings` describes it. */
export const SETTING_VARIABLES: readonly SettingVariable[] = variablesOf(Settings);
