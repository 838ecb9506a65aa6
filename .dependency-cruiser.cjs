/**
 * Which folder may import which: an arrow not in this list is an error. From the foundations upwards; a folder may
 * import those named beside it, itself, and nothing else of src/.
 */
const FOUNDATIONS = ['config', 'errors'];
const EDGE = [...FOUNDATIONS, 'http'];
const ACCESS = [...EDGE, 'access'];
const STORES = [...ACCESS, 'metrics', 'redis', 'database'];
const BASE = [...STORES, 'principals', 'housekeeping'];
const CORE = [...BASE, 'audit'];

const MAY_IMPORT = {
  config: [],
  errors: [],
  http: FOUNDATIONS,
  access: EDGE,
  log: ACCESS,
  metrics: FOUNDATIONS,
  redis: ['config'],
  principals: STORES,
  database: [...FOUNDATIONS, 'metrics'],
  housekeeping: [...FOUNDATIONS, 'metrics', 'database'],
  audit: BASE,
  webhooks: CORE,
  sessions: CORE,
  users: [...CORE, 'sessions'],
  'api-keys': [...CORE, 'users'],
  auth: [...CORE, 'sessions', 'users', 'api-keys'],
  agents: [...CORE, 'sessions', 'users', 'api-keys', 'auth'],
  bootstrap: [...CORE, 'sessions', 'users', 'api-keys', 'auth'],
  dialects: [...CORE, 'sessions', 'users', 'api-keys', 'auth', 'agents', 'bootstrap', 'log'],
  doctor: [...CORE, 'users', 'webhooks'],
  health: [...CORE, 'log'],
  // The one place besides users/ and api-keys/ where hashes pass through: from a file into a table, and out again.
  transfer: [...CORE, 'users', 'api-keys'],
  cli: [...CORE, 'sessions', 'users', 'api-keys', 'auth', 'bootstrap', 'doctor', 'transfer', 'webhooks'],
};

const directions = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `${folder}-imports-only-what-stands-below`,
  comment: `src/${folder} may import ${allowed.join(', ') || 'nothing else of src'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [`^src/${folder}/`, ...allowed.map((name) => `^src/${name}/`)] },
}));

module.exports = {
  forbidden: [
    ...directions,
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'through-the-door',
      comment: "Folders meet only through each other's index.ts",
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/.+', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'composition-through-the-door',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: { path: '^src/[^/]+/.+', pathNot: ['/index\\.ts$'] },
    },
    {
      name: 'dialects-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/dialects/([^/]+)/' },
      to: { path: '^src/dialects/[^/]+/', pathNot: '^src/dialects/$1/' },
    },
    {
      name: 'dialects-touch-no-database',
      comment: "A dialect translates. ChatOps' servers are a domain of its own, written as any product's module is",
      severity: 'error',
      from: { path: '^src/dialects/', pathNot: '^src/dialects/chatops/(servers/|chatops\\.module)' },
      to: { path: ['^src/database/', 'node_modules/(typeorm|@nestjs/typeorm|pg)/'] },
    },
    {
      name: 'declared-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'], extensions: ['.ts', '.js', '.json'] },
  },
};
