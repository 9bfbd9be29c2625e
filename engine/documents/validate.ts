/** Validates values with JSON Schema (by ajv), and words the violations. */
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { oddCharacterNote } from '../sdk/odd-characters.ts';
import type { Schema } from '../sdk/schema.ts';
import { clean, didYouMean, maskTokens, valueText } from '../sdk/text.ts';
import { ajvLibrary } from './ajv-library.ts';
import { compilePattern } from './patterns.ts';
import { precompiledValidators } from './precompiled.ts';

export interface Violation {
  path: (string | number)[];
  /** An unknown key in the mapping at `path`. */
  key?: string;
  /** A missing key in the mapping at `path`. */
  missing?: string;
  message: string;
}

export const ajvOptions = {
  allErrors: true,
  useDefaults: true,
  strict: false,
  verbose: true,
  // Tests validate our schemas. Compiling the meta-schema at every start would take longer than compiling all the
  // others.
  meta: false,
  validateSchema: false,
  logger: false, // ajv would write its own sentences to standard error
  code: { optimize: false }, // optimizing costs more than these small schemas ever save
} as const;
/** Patterns of pipelines and plugins, as ajv calls them. The build has compiled the schemas that ship. */
const re2 = Object.assign((pattern: string) => ({ ...compilePattern(pattern), toString: () => pattern }), {
  code: 'compilePattern',
});
let ajv: Ajv2020 | undefined;
const compiled = new WeakMap<object, ValidateFunction>();

function validatorOf(schema: object): ValidateFunction {
  let validate = compiled.get(schema) ?? precompiledValidators.get(JSON.stringify(schema))?.();
  if (validate === undefined) {
    ajv ??= new (ajvLibrary())({ ...ajvOptions, code: { ...ajvOptions.code, regExp: re2 } });
    validate = ajv.compile(schema);
    if ('$async' in validate) throw new Error('$async is not supported');
  }
  compiled.set(schema, validate);
  return validate;
}

/**
 * Every violation of `schema` in `value`. Fills the defaults of the schema into `value`. No message quotes a secret.
 */
export function violations(schema: object, value: unknown): Violation[] {
  const validate = validatorOf(schema);
  if (validate(value)) return [];
  // Alternatives are one problem, worded by their description, and not one problem for each branch.
  return (validate.errors ?? [])
    .filter(({ schemaPath, keyword }) => !/\/(anyOf|oneOf)\//.test(schemaPath) && keyword !== 'if')
    .map(violationOf);
}

function violationOf(error: ErrorObject): Violation {
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
      const hint = oddCharacterNote(key) || didYouMean(key, known);
      return { path, key, message: `unknown key ${maskTokens(key)}${hint}` };
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
      const quoted = schema.writeOnly === true ? '' : ` ${maskTokens(clean(JSON.stringify(error.data)))}`;
      const form = schema['x-form'] ?? `match ${params.pattern}`;
      return { path, message: `has the wrong form${quoted}: it must ${form}${oddCharacterNote(String(error.data))}` };
    }
    case 'minLength':
      return { path, message: `must have at least ${counted(params.limit, 'character')}` };
    case 'maxLength':
      return { path, message: `must have at most ${counted(params.limit, 'character')}` };
    case 'minimum':
      return { path, message: `must be >= ${params.limit}` };
    case 'maximum':
      return { path, message: `must be <= ${params.limit}` };
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
    case 'oneOf':
      return {
        path,
        message: (error.parentSchema as { description?: string }).description ?? 'matches none of the allowed forms',
      };
    default:
      return { path, message: `does not follow the rule ${error.keyword} of its schema` };
  }
}

const counted = (count: unknown, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const article = (type: string): string => `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`;
