import { loadSettings, SETTING_VARIABLES, SettingsError } from '../src/config/index.js';
import { editDistance } from '../src/config/edit-distance.js';

describe('a misspelt variable', () => {
  it.each([
    ['JWT_SECRT', 'JWT_SECRET'], ['JWT_SERCET', 'JWT_SECRET'], ['JWT_SECRETS', 'JWT_SECRET'], ['JWTSECRET', 'JWT_SECRET'], ['JWT_SECRET_', 'JWT_SECRET'],
    ['JWT_SECRET_FIEL', 'JWT_SECRET_FILE'], ['JWT_SECRET_PREVIUOS', 'JWT_SECRET_PREVIOUS'],
    ['BOOTSTRAP_OWNER_EMIAL', 'BOOTSTRAP_OWNER_EMAIL'], ['BOOTSRAP_OWNER_PASWORD', 'BOOTSTRAP_OWNER_PASSWORD'],
    ['BOOTSTRAP_OWNER_PASSWORDFILE', 'BOOTSTRAP_OWNER_PASSWORD_FILE'], ['BOOTSTRAP_APIKEY', 'BOOTSTRAP_API_KEY'],
    ['DATABSE_URL', 'DATABASE_URL'], ['DATABASE_ULR', 'DATABASE_URL'], ['DATABASE_URI', 'DATABASE_URL'],
    ['ADMIN_PASSWD', 'ADMIN_PASSWORD'], ['ADMIN_EMIAL', 'ADMIN_EMAIL'], ['CORS_ORIGINS', 'CORS_ORIGIN'], ['TRUST_PROXI', 'TRUST_PROXY'],
    ['REFRESH_TOKEN_TTL_REMEMBER', 'REFRESH_TOKEN_TTL_REMEMBERED'], ['ACCES_TOKEN_TTL', 'ACCESS_TOKEN_TTL'], ['DATA_DRI', 'DATA_DIR'],
    ['AUTH_DISABLE', 'AUTH_DISABLED'], ['NODE_EVN', 'NODE_ENV'], ['TIME_ZONE', 'TIMEZONE'], ['LOG_LEVLE', 'LOG_LEVEL'],
    ['PROT', 'PORT'], ['HSOT', 'HOST'],
  ])('%s is pointed out as %s', (typo, meant) => {
    const env = { [typo]: 'hush' };
    expect(() => loadSettings({ env })).toThrow(SettingsError);
    expect(() => loadSettings({ env })).toThrow(`${typo} is not known; did you mean ${meant}?`);
    expect(() => loadSettings({ env: { [typo]: '' } })).not.toThrow();
  });

  it('is found for each variable with a letter lost or two swapped', () => {
    const typos = SETTING_VARIABLES.filter(({ name }) => name.length >= 6).flatMap(({ name }) =>
      [...name].slice(1).flatMap((letter, i) => [
        name.slice(0, i + 1) + name.slice(i + 2),
        name.slice(0, i) + letter + (name[i] ?? '') + name.slice(i + 2),
      ]).filter((typo) => typo !== name && typo !== 'LOGLEVEL'));
    const found = pointedOut(Object.fromEntries(typos.map((typo) => [typo, 'x'])));
    const missed = typos.filter((typo) => !found.has(typo));
    expect(missed).toEqual([]);
    expect(typos.length).toBeGreaterThan(800);
  });
});

it('the variables of other programs are left alone', () => {
  const names = `
    HOME PATH PWD OLDPWD SHELL USER LOGNAME MAIL LANG LANGUAGE LC_ALL LC_CTYPE LC_MESSAGES LC_TIME TERM TERM_PROGRAM COLORTERM
    HOSTNAME HOSTTYPE MACHTYPE OSTYPE PORTS HOSTS POST COST GHOST SHLVL _ EDITOR VISUAL PAGER LESS LS_COLORS DISPLAY TMPDIR TEMP TMP TZ
    DISPLAY WAYLAND_DISPLAY XDG_DATA_DIRS XDG_DATA_HOME XDG_CONFIG_DIRS XDG_RUNTIME_DIR XDG_SESSION_ID XDG_SESSION_TYPE SESSION_MANAGER
    DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSH_CLIENT SSH_CONNECTION SSH_TTY SUDO_USER MANPATH INFOPATH DESKTOP_SESSION
    NODE_OPTIONS NODE_PATH NODE_VERSION NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NODE_NO_WARNINGS NODE_DEBUG YARN_VERSION NVM_DIR NVM_BIN INIT_CWD
    npm_config_cache npm_config_prefix npm_lifecycle_event npm_package_name npm_package_version npm_execpath npm_node_execpath npm_command
    HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy FORCE_COLOR NO_COLOR DEBUG LOGLEVEL LOG_DIR LOG_FILE LOG_PATH
    DEBIAN_FRONTEND PYTHONUNBUFFERED JAVA_HOME GOPATH CARGO_HOME RUST_LOG RUST_BACKTRACE SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE
    CI GITHUB_ACTIONS GITHUB_TOKEN GITHUB_REF GITHUB_SHA GITHUB_ENV GITHUB_PATH GITHUB_WORKSPACE RUNNER_OS RUNNER_TEMP RUNNER_TOOL_CACHE
    GITLAB_CI CI_JOB_ID CI_JOB_TOKEN CI_COMMIT_SHA CI_REGISTRY CI_REGISTRY_PASSWORD CI_PROJECT_DIR JENKINS_HOME JENKINS_URL BUILD_ID BUILD_NUMBER BUILD_URL JOB_NAME
    CIRCLECI TRAVIS BUILDKITE TF_BUILD SYSTEM_ACCESSTOKEN VERCEL_URL RENDER FLY_APP_NAME FLY_REGION DYNO RAILWAY_ENVIRONMENT
    KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS KUBERNETES_PORT KUBERNETES_PORT_443_TCP
    KUBERNETES_PORT_443_TCP_ADDR KUBERNETES_PORT_443_TCP_PROTO POD_NAME POD_IP POD_NAMESPACE
    GATEHOUSE_SERVICE_HOST GATEHOUSE_SERVICE_PORT GATEHOUSE_PORT POSTGRES_SERVICE_HOST REDIS_PORT
    DOCKER_HOST DOCKER_CONFIG DOCKER_BUILDKIT COMPOSE_PROJECT_NAME COMPOSE_FILE container
    POSTGRES_USER POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE POSTGRES_DB POSTGRES_HOST POSTGRES_PORT POSTGRES_URL POSTGRES_INITDB_ARGS
    PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGDATA PGSSLMODE MYSQL_ROOT_PASSWORD REDIS_HOST MONGO_URL AMQP_URL
    DATABASE_HOST DATABASE_PORT DATABASE_NAME DATABASE_USER DATABASE_PASSWORD DATABASE_SSL DATABASE_POOL_MAX DATABASE_POOL_MIN DATABASE TEST_DATABASE_URL
    DB_HOST DB_PORT DB_URL DIRECT_URL BASE_URL PUBLIC_URL APP_URL API_URL API_KEY API_SECRET API_HOST API_PORT APP_ENV APP_NAME APP_PORT
    AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GOOGLE_APPLICATION_CREDENTIALS AZURE_CLIENT_ID OPENAI_API_KEY
    SESSION_SECRET COOKIE_SECRET JWT_EXPIRATION JWT_KEY JWT_PUBLIC_KEY JWT_ALGORITHM JWT_SECRET_KEY ACCESS_TOKEN ACCESS_TOKEN_URL
    REFRESH_TOKEN REFRESH_TOKEN_URL REFRESH_TOKEN_SECRET ACCESS_TOKEN_SECRET ADMIN_USER ADMIN_NAME ADMIN_TOKEN ADMIN_USERNAME OWNER_EMAIL
    CORS_ENABLED CORS_METHODS SMTP_HOST SMTP_PORT SMTP_PASSWORD SENTRY_DSN OTEL_SERVICE_NAME PASSWORD_MAX_LENGTH BCRYPT_ROUNDS RATE_LIMIT_MAX
    REQUIRE_REDIS REQUIRE_BROWSER JEST_WORKER_ID
  `.trim().split(/\s+/);
  expect(names.length).toBeGreaterThan(200);
  const env = Object.fromEntries(names.map((name) => [name, 'x']));
  expect([...pointedOut(env)]).toEqual([]);
});

describe('editDistance', () => {
  it.each([
    ['', '', 0], ['', 'abc', 3], ['abc', '', 3], ['abc', 'abc', 0], ['abc', 'acb', 1], ['abc', 'ab', 1], ['abc', 'xabc', 1],
    ['abc', 'axc', 1], ['kitten', 'sitting', 3], ['abcd', 'badc', 2], ['ca', 'abc', 3],
  ])('%s to %s is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

/** The names that have a fault when these variables are set. */
function pointedOut(env: Record<string, string>): Set<string> {
  try {
    loadSettings({ env });
    return new Set();
  } catch (error) {
    if (error instanceof SettingsError) return new Set(error.faults.map(({ name }) => name));
    throw error;
  }
}
