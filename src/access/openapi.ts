import type { OpenAPIObject } from '@nestjs/swagger';
import { type Access, mergeAccess } from './access.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;
const EXTENSION = /^x-access-(class|handler)-(\w+)$/;

/** The names of the security schemes in the document. */
export const SECURITY_SCHEMES = { password: 'password', accessToken: 'accessToken', apiKey: 'apiKey' } as const;

/** How the routes at a path take API keys, and show errors. */
export interface DocumentedWire {
  readonly apiKeyScheme: string;
  readonly mediaType: string;
  /** The schema of an error. */
  readonly schema: string;
}

/**
 * Writes into every operation what its decorators ask for: the security, and the answers 401 and 403. An operation
 * without any is for signed-in people, as the guard sees it too.
 * @param wireOf what is particular to the routes at a path
 */
export function documentAccess(document: OpenAPIObject, wireOf: (path: string) => DocumentedWire): void {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation !== undefined) documentOperation(operation, wireOf(path));
    }
  }
}

function documentOperation(operation: Operation, errors: DocumentedWire): void {
  const access = takeAccess(operation);
  operation.security = securityOf(access, errors.apiKeyScheme);
  if (access.public) return;
  const { roles = [], scopes = [] } = access;
  operation.responses['401'] ??= answer(access.apiKeyOnly ? 'No API key, or one that is not good' : 'No credential, or one that is not good', errors);
  // A key with any scopes at all, or none, is let through: there is nothing to refuse.
  if (!access.apiKeyOnly || scopes.length > 0) operation.responses['403'] ??= answer(needsOf(roles, scopes), errors);
}

/** Reads the decorators' extensions, and removes them from the document. */
function takeAccess(operation: Operation): Access {
  const found: Record<'class' | 'handler', Record<string, unknown>> = { class: {}, handler: {} };
  const extensions = operation as unknown as Record<string, { value: unknown } | undefined>;
  for (const name of Object.keys(operation)) {
    const [, level, aspect] = EXTENSION.exec(name) ?? [];
    if (level === undefined || aspect === undefined) continue;
    found[level as 'class' | 'handler'][aspect] = extensions[name]?.value;
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- names that were just listed
    delete extensions[name];
  }
  return mergeAccess(found.class, found.handler);
}

function securityOf(access: Access, apiKeyScheme: string): Record<string, string[]>[] {
  if (access.public) return [];
  const apiKey = { [apiKeyScheme]: [] };
  if (access.apiKeyOnly) return [apiKey];
  const person = [{ [SECURITY_SCHEMES.password]: [] }, { [SECURITY_SCHEMES.accessToken]: [] }];
  return access.scopes === undefined ? person : [...person, apiKey];
}

function needsOf(roles: readonly string[], scopes: readonly string[]): string {
  const needs = [
    ...(roles.length === 0 ? [] : [`the role ${roles.map((role) => `\`${role}\``).join(' or ')}`]),
    ...scopes.map((scope) => `the scope \`${scope}\``),
  ];
  return needs.length === 0 ? 'For signed-in people, not for API keys' : `Needs ${needs.join(' and ')}`;
}

function answer(description: string, { mediaType, schema }: DocumentedWire): Operation['responses'][string] {
  return { description, content: { [mediaType]: { schema: { $ref: `#/components/schemas/${schema}` } } } };
}
