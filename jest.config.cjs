/**
 * The suites start the built server as child processes and speak HTTP to it; what they import from src/
 * directly is compiled here to CommonJS, because Jest on Node 20 cannot require ES modules.
 */
const compiledPackages = [
  '@nestjs', 'file-type', 'strtok3', 'token-types', 'uint8array-extras', '@tokenizer', '@borewit',
  'load-esm', 'es-toolkit', 'uuid', 'js-yaml', 'content-disposition', 'cookie', 'light-my-request',
];

/** Suites that want the machine to themselves have commands of their own: `npm run test:chaos`, `npm run test:scale`. */
const apart = [
  ...(process.env.CHAOS_MINUTES === undefined ? ['/test/chaos/chaos\\.e2e\\.ts$'] : []),
  ...(process.env.SCALE === undefined ? ['/test/scale\\.e2e\\.ts$'] : []),
];

module.exports = {
  testEnvironment: 'node',
  rootDir: __dirname,
  testMatch: ['<rootDir>/test/**/*.spec.ts', '<rootDir>/test/**/*.e2e.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  testPathIgnorePatterns: ['/node_modules/', ...apart],
  testTimeout: 60_000,
  maxWorkers: 2,
  transform: {
    '^.+\\.(t|j|mj)s$': ['@swc/jest', {
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
      },
      module: { type: 'commonjs' },
    }],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${compiledPackages.join('|')})/)`],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1', '$1.js'] },
};
