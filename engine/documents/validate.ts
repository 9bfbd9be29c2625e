/** JSON Schema by ajv, its errors in words. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Schema } from '../sdk/schema.ts';
import { clean, didYouMean, valueText } from '../sdk/text.ts';
import { precompiled } from './precompiled.ts';

export interface Violation {
  path: (string | number)[];
  /** The key in the mapping at `path` that is one too many. */
  key?: string;
  /** The key in the mapping at `path` that is missing. */
  missing?: string;
  message: string;
}

export const ajvOptions = {
  allErrors: true,
  useDefaults: true,
  strict: false,
  verbose: true,
  // Our schemas are checked by the tests; compiling the meta-schema at every start would take longer than all of them.
  meta: false,
  validateSchema: false,
  code: { optimize: false }, // compiling costs more than these small schemas ever run
} as const;
let ajv: Ajv2020 | undefined;
const compiled = new WeakMap<object, ValidateFunction>();

function validatorOf(schema: object): ValidateFunction {
  let validate = compiled.get(schema) ?? precompiled.get(JSON.stringify(schema))?.();
  if (validate === undefined) {
    ajv ??= new Ajv2020(ajvOptions);
    validate = ajv.compile(schema);
    if ('$async' in validate) throw new Error('it is asynchronous, and nobody would wait for it');
  }
  compiled.set(schema, validate);
  return validate;
}

/** All violations of `schema` in `value`; defaults of the schema are filled into `value`. No message quotes a secret. */
export function violations(schema: object, value: unknown): Violation[] {
  const validate = validatorOf(schema);
  if (validate(value)) return [];
  // An alternative is one problem, said by its description; not one for each of its branches.
  return (validate.errors ?? [])
    .filter(({ schemaPath, keyword }) => !schemaPath.includes('/anyOf/') && keyword !== 'if')
    .map(inWords);
}

function inWords(error: ErrorObject): Violation {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
      return { path, key, message: `unknown key ${key}${didYouMean(key, known)}` };
    }
    case 'required':
      return { path, missing: String(params.missingProperty), message: `${params.missingProperty} is missing` };
    case 'type': {
      const { 'x-form': form } = error.parentSchema as Schema;
      const types = [params.type].flat().map((type) => (type === 'null' ? type : article(String(type))));
      return { path, message: `must be ${types.join(' or ')}${form === undefined ? '' : `: it must ${form}`}` };
    }
    case 'enum':
      return { path, message: `must be one of ${(params.allowedValues as unknown[]).map(valueText).join(', ')}` };
    case 'const':
      return { path, message: `must be ${valueText(params.allowedValue)}` };
    case 'pattern': {
      const schema = error.parentSchema as Schema;
      const shown = schema.writeOnly === true ? '' : ` ${clean(JSON.stringify(error.data))}`;
      return { path, message: `has the wrong form${shown}: it must ${schema['x-form'] ?? `match ${params.pattern}`}` };
    }
    case 'minItems':
      return { path, message: `must have at least ${counted(params.limit, 'item')}` };
    case 'maxItems':
      return { path, message: `must have at most ${counted(params.limit, 'item')}` };
    case 'minProperties':
      return { path, message: `must have at least ${counted(params.limit, 'key')}` };
    case 'maxProperties':
      return { path, message: `must have at most ${counted(params.limit, 'key')}` };
    case 'not':
    case 'anyOf':
      return { path, message: (error.parentSchema as { description?: string }).description ?? 'fits no alternative' };
    default:
      return { path, message: error.message ?? error.keyword };
  }
}

const counted = (count: unknown, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const article = (type: string): string => `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`;
