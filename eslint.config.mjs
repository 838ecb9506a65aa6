import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

/** What no file but the two that read the environment may do. */
const ENVIRONMENT = [
  {
    object: 'process',
    property: 'env',
    message: 'The environment is read once, in main.ts or cli.ts; take what you need from Settings.',
  },
];

/** Decided in the design, for every file of the server. */
const NEST_BANS = {
  name: '@nestjs/common',
  importNames: ['forwardRef'],
  message: 'Modules form no circle: move what both need below both.',
};

/** The core knows no HTTP: it throws AuthError, and the edge renders it. */
const HTTP_EXCEPTIONS = {
  name: '@nestjs/common',
  importNames: [
    'forwardRef', 'HttpException', 'BadRequestException', 'ConflictException', 'ForbiddenException', 'NotFoundException',
    'UnauthorizedException', 'UnprocessableEntityException', 'InternalServerErrorException', 'ServiceUnavailableException',
  ],
  message: 'Throw an AuthError; the filter at the edge renders it.',
};

export default tseslint.config(
  { ignores: ['dist/', 'data/', 'node_modules/', 'coverage/', '**/*.cjs'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Nest's modules are classes with nothing but a decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowStaticOnly: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A type-only import of a class that a decorator needs at run time silently switches validation off.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_$' }],
      // The index signatures of process.env and the like: tsc asks for brackets where eslint would ask for dots.
      '@typescript-eslint/dot-notation': 'off',
      // DTO classes are shapes with decorators: a literal of the shape is as good as an instance.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', ...ENVIRONMENT],
      'no-restricted-imports': ['error', { paths: [NEST_BANS, ...builtinModules.filter((name) => !name.startsWith('_')).map((name) => ({ name, message: `Write node:${name}.` }))] }],
    },
  },
  {
    files: ['src/{access,api-keys,audit,auth,bootstrap,config,database,doctor,errors,housekeeping,metrics,principals,redis,sessions,transfer,users,webhooks}/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [HTTP_EXCEPTIONS] }] },
  },
  {
    files: ['src/main.ts', 'src/cli.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // A controller's parameters are validated by their classes, which must be there at run time.
    files: ['src/**/*.controller.ts'],
    rules: {
      'no-restricted-syntax': ['error',
        {
          selector: 'ImportDeclaration[importKind="type"] ImportSpecifier[imported.name=/(Body|Query)$/]',
          message: 'Import the value: with a type alone Nest has nothing to validate against.',
        },
        {
          selector: 'ImportSpecifier[importKind="type"][imported.name=/(Body|Query)$/]',
          message: 'Import the value: with a type alone Nest has nothing to validate against.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'ormconfig.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
