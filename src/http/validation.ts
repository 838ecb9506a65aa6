import { type ArgumentMetadata, Injectable, type PipeTransform, ValidationPipe, type ValidationError } from '@nestjs/common';
import { validate as isUuid } from 'uuid';
import { AuthError, type FieldError, invalidField } from '../errors/index.js';

const DEEPEST_BODY = 32;

/** Turns class-validator's tree into a flat list, one entry a fault, with dotted paths. */
function fieldErrors(errors: readonly ValidationError[], parent = ''): FieldError[] {
  return errors.flatMap((error) => {
    const field = parent === '' ? error.property : `${parent}.${error.property}`;
    const own = Object.entries(error.constraints ?? {}).map(([rule, message]) => ({
      field,
      message: rule === 'whitelistValidation' ? 'is not a known field' : withoutName(message, error.property),
    }));
    return [...own, ...fieldErrors(error.children ?? [], field)];
  });
}

/** class-validator begins its sentences with the property's name, which the entry already has. */
function withoutName(message: string, property: string): string {
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}

/**
 * The one validation of bodies and queries: unknown fields are refused, every fault is reported with its field.
 * @throws AuthError `validation_failed`
 */
@Injectable()
export class RequestValidation extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      stopAtFirstError: true,
      forbidUnknownValues: false,
      exceptionFactory: (errors) => new AuthError('validation_failed', { fields: fieldErrors(errors) }),
    });
  }

  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // What a decorator of a product gives a handler came from no caller.
    return metadata.type === 'custom' ? Promise.resolve(value) : this.validated(value, metadata);
  }

  private async validated(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'query') requireSoundKeys(value);
    // A handler that declares its body `unknown` reads it itself.
    const declared = metadata.metatype !== undefined && metadata.metatype !== Object;
    if (metadata.type !== 'body' || !declared) return (await super.transform(value, metadata)) as unknown;
    // No body at all is an empty one: then the missing fields are named. So is `null`, but it never passes.
    const body = value ?? {};
    if (typeof body !== 'object' || Array.isArray(body)) throw invalidField('body', 'must be an object');
    requireSoundKeys(body);
    const valid = (await super.transform(body, metadata)) as unknown;
    if (value === null) throw invalidField('body', 'must be an object');
    return valid;
  }

  /** Validates a body outside of the pipeline: guards run before pipes. */
  async validateBody<Body extends object>(body: unknown, metatype: new () => Body): Promise<Body> {
    return (await this.transform(body, { type: 'body', metatype })) as Body;
  }
}

/**
 * Refuses what class-transformer and class-validator do not cope with, before they see it: fields named like a property
 * of every object (`constructor`, `toString`) would pass as known ones, and deep nesting would exhaust the stack.
 * @throws AuthError `validation_failed` that names the field
 */
function requireSoundKeys(root: unknown): void {
  const open: { value: unknown; path: string; depth: number }[] = [{ value: root, path: '', depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > DEEPEST_BODY) throw invalidField(path.split('.', 1)[0] ?? '', 'is nested too deeply');
    for (const [key, child] of Object.entries(value)) {
      const field = path === '' ? key : `${path}.${key}`;
      if (key in Object.prototype) throw invalidField(field, 'is not a known field');
      open.push({ value: child, path: field, depth: depth + 1 });
    }
  }
}

/**
 * The id in a path: a UUID, in either case.
 * @throws AuthError `validation_failed` that names the parameter
 */
@Injectable()
export class UuidParam implements PipeTransform<string, string> {
  transform(value: string, metadata: ArgumentMetadata): string {
    if (!isUuid(value)) throw invalidField(metadata.data ?? 'id', 'must be a UUID');
    return value.toLowerCase();
  }
}
