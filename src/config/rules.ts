import type { DialectRules } from './dialect-rules.js';
import { parseDuration } from './parse.js';
import { wrongValue, type Fault } from './settings-error.js';
import { SETTING_VARIABLES, type Settings } from './settings.js';
import type { SettingVariable } from './variable.js';

/** What the rules between settings look at. */
interface Loaded {
  readonly settings: Settings;
  /** Names of the variables that were given at all, well or badly. */
  readonly given: ReadonlySet<string>;
  /** Names of the variables that have a fault already; a rule says nothing about those. */
  readonly faulty: ReadonlySet<string>;
  /** How a variable was given: its own name, or the flag or file in its place. */
  readonly source: (name: string) => string;
  /** The dialects that will be mounted. */
  readonly mounted: readonly DialectRules[];
}

/** The faults that only several settings together have. */
export function checkRules(loaded: Loaded): Fault[] {
  return [
    ...SETTING_VARIABLES.flatMap((variable) => missing(variable, loaded)),
    ...RULES.filter((rule) => rule.about.every((name) => !loaded.faulty.has(name)))
      .flatMap((rule) => rule.check(loaded)),
  ];
}

/** A variable that others need, and that was not given with them. */
function missing(variable: SettingVariable, { given, mounted }: Loaded): Fault[] {
  const needers = SETTING_VARIABLES.filter(({ name, needs }) => needs === variable.name && given.has(name)).map(({ name }) => name);
  const dialect = mounted.find(({ requires = [] }) => requires.some((property) => property === variable.property));
  if (given.has(variable.name) || (needers.length === 0 && dialect === undefined)) return [];
  const because =
    needers.length > 0
      ? `because ${needers.join(' and ')} ${needers.length > 1 ? 'are' : 'is'} set`
      : `because the dialect ${dialect?.name ?? ''} is mounted`;
  return [wrongValue(variable.name, 'nothing', `${variable.wants}, ${because}`)];
}

interface Rule {
  /** The variables it compares. */
  readonly about: readonly string[];
  readonly check: (loaded: Loaded) => Fault[];
}

const RULES: readonly Rule[] = [
  {
    about: ['WEBHOOK_URLS', 'NODE_ENV'],
    check: ({ settings, source }) => faultIf(
      settings.nodeEnv === 'production' && settings.webhookUrls.some((url) => !url.startsWith('https:')),
      wrongValue('WEBHOOK_URLS', 'a URL with http://', 'https:// alone, because NODE_ENV is production', source('WEBHOOK_URLS')),
    ),
  },
  {
    about: ['PRINCIPAL_CACHE', 'REDIS_URL'],
    check: ({ settings, source }) => faultIf(
      settings.principalCache === 'redis' && settings.redisUrl === undefined,
      wrongValue('PRINCIPAL_CACHE', 'redis', 'memory or off, or REDIS_URL to say where Redis is', source('PRINCIPAL_CACHE')),
    ),
  },
  {
    // Each process would keep a memory of its own, and a revocation would reach but one of them.
    about: ['WEB_CONCURRENCY', 'PRINCIPAL_CACHE'],
    check: ({ settings, source }) => faultIf(
      settings.webConcurrency !== '1' && settings.principalCache === 'memory',
      wrongValue('WEB_CONCURRENCY', settings.webConcurrency, '1, or PRINCIPAL_CACHE to be off or redis', source('WEB_CONCURRENCY')),
    ),
  },
  {
    about: ['JWT_SECRET', 'JWT_SECRET_PREVIOUS'],
    check: ({ settings, source }) => faultIf(
      settings.jwtSecret !== undefined && settings.jwtSecret === settings.jwtSecretPrevious,
      wrongValue('JWT_SECRET_PREVIOUS', '(hidden), the same as JWT_SECRET', 'the secret before it', source('JWT_SECRET_PREVIOUS')),
    ),
  },
  notBelow('REFRESH_TOKEN_TTL', 'refreshTokenTtl', 'ACCESS_TOKEN_TTL', 'accessTokenTtl'),
  notBelow('REFRESH_TOKEN_TTL_REMEMBERED', 'refreshTokenTtlRemembered', 'ACCESS_TOKEN_TTL', 'accessTokenTtl'),
  notBelow('SESSION_MAX_AGE', 'sessionMaxAge', 'REFRESH_TOKEN_TTL', 'refreshTokenTtl'),
  endsWithin('JWT_EXPIRES_IN', ({ jwtExpiresIn }) => [JSON.stringify(jwtExpiresIn), Number(parseDuration(jwtExpiresIn))]),
  endsWithin('JWT_EXPIRATION_MINUTES', ({ jwtExpirationMinutes: minutes }) => [String(minutes), minutes * 60]),
  {
    about: ['BOOTSTRAP_OWNER_PASSWORD'],
    check: ({ settings: { bootstrapOwnerPassword: password, passwordMinLength }, faulty, source }) => {
      if (password === undefined) return [];
      // Counted as every password is: code points of the NFKC form. The bootstrap's own floor is 12.
      const length = [...password.normalize('NFKC')].length;
      const least = faulty.has('PASSWORD_MIN_LENGTH') ? 12 : Math.max(12, passwordMinLength);
      return faultIf(length < least, wrongValue(
        'BOOTSTRAP_OWNER_PASSWORD', `(hidden), ${length} characters`, `at least ${least} characters`, source('BOOTSTRAP_OWNER_PASSWORD'),
      ));
    },
  },
  {
    about: [],
    check: ({ given }) => faultIf(
      given.has('BOOTSTRAP_OWNER_PASSWORD') && !given.has('BOOTSTRAP_OWNER_EMAIL') && !given.has('BOOTSTRAP_OWNER_USERNAME'),
      wrongValue(
        'BOOTSTRAP_OWNER_EMAIL', 'nothing',
        'an email address, or BOOTSTRAP_OWNER_USERNAME a user name, because BOOTSTRAP_OWNER_PASSWORD is set',
      ),
    ),
  },
  {
    about: ['AUTH_DISABLED', 'NODE_ENV'],
    check: ({ settings, source }) => faultIf(
      settings.authDisabled && settings.nodeEnv === 'production',
      wrongValue('AUTH_DISABLED', 'true', 'false, because NODE_ENV is production', source('AUTH_DISABLED')),
    ),
  },
  {
    about: ['AUTH_DISABLED', 'AUTH_DISABLED_REMOTE'],
    check: ({ settings }) => faultIf(
      settings.authDisabledRemote && !settings.authDisabled,
      wrongValue('AUTH_DISABLED_REMOTE', 'true', 'false, or AUTH_DISABLED to be true as well'),
    ),
  },
];

type DurationProperty = 'accessTokenTtl' | 'refreshTokenTtl' | 'refreshTokenTtlRemembered' | 'sessionMaxAge';

function notBelow(name: string, property: DurationProperty, floorName: string, floor: DurationProperty): Rule {
  return {
    about: [name, floorName],
    check: ({ settings }) => faultIf(
      settings[property] < settings[floor],
      wrongValue(name, `${settings[property]} s`, `no less than ${floorName}, which is ${settings[floor]} s`),
    ),
  };
}

/** A dialect's sessions end as all do. A default counts where a dialect goes by it, and is nobody's fault elsewhere. */
function endsWithin(
  name: NonNullable<DialectRules['sessionLifetime']>,
  lifetime: (settings: Settings) => [text: string, seconds: number],
): Rule {
  return {
    about: [name, 'SESSION_MAX_AGE'],
    check: ({ settings, given, mounted }) => {
      const counts = given.has(name) || mounted.some(({ sessionLifetime }) => sessionLifetime === name);
      const [text, seconds] = lifetime(settings);
      const got = given.has(name) ? text : `nothing, which is ${text}`;
      return faultIf(
        counts && seconds > settings.sessionMaxAge,
        wrongValue(name, got, `no more than SESSION_MAX_AGE, which is ${settings.sessionMaxAge} s`),
      );
    },
  };
}

function faultIf(wrong: boolean, fault: Fault): Fault[] {
  return wrong ? [fault] : [];
}
