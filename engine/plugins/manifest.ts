/** The manifest of a plugin, from its package.json. It is read before any code of the plugin. */
import schema from '../../schemas/plugin.schema.json' with { type: 'json' };
import { parseJson } from '../documents/json.ts';
import { violations } from '../documents/validate.ts';
import type { Bounds } from '../sdk/bounds.ts';
import { fail } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';

/** Ten times the size of a large package.json. */
const BYTES_MAX = 256 << 10;
const PROBLEMS_MAX = 50;

export interface Manifest {
  name: string;
  version: string;
  engine: string;
  /** The entry module, relative to the folder. */
  main: string;
  phases: readonly string[];
  featureGates: readonly string[];
  /** Name → YAML file in the folder. */
  environments: Readonly<Record<string, string>>;
  pipelines: Readonly<Record<string, string>>;
  effects: Bounds;
  /** Packages that must be in its own node_modules. */
  dependencies: readonly string[];
}

/** Whether the package is a plugin. */
export const isManifest = (text: string): boolean => /"joinery"\s*:/.test(text);

/** Parses a manifest; `file` is its name in errors. Throws E_PLUGIN_MANIFEST with all problems. */
export function readManifest(file: string, text: string): Manifest {
  const refuse = (problems: readonly string[]) => fail('E_PLUGIN_MANIFEST', { file, problems });
  if (Buffer.byteLength(text) > BYTES_MAX) throw refuse([`it is larger than ${BYTES_MAX} bytes`]);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw refuse([(error as Error).message]);
  }
  const problems = violations(schema, value).map(({ path, message }) => clean(`${path.join('.')} ${message}`));
  if (problems.length > 0) throw refuse(problems.slice(0, PROBLEMS_MAX));
  // ajv has just checked it, and filled in the defaults
  const { name, version, dependencies, joinery } = value as {
    name: string;
    version: string;
    dependencies?: object;
    joinery: Omit<Manifest, 'name' | 'version' | 'dependencies'>;
  };
  return { ...joinery, name, version, dependencies: Object.keys(dependencies ?? {}) };
}

/** Whether `version` is in `range`: versions with ^, ~, >=, < or nothing before them, all of which must hold. */
export const isInRange = (version: string, range: string): boolean =>
  range.split(' ').every((part) => {
    const [, sign = '', bound = ''] = /^(\^|~|>=|<)?(.+)$/.exec(part) ?? [];
    const order = compared(version, bound);
    if (sign === '<') return order < 0;
    if (sign === '>=') return order >= 0;
    return sign === '' ? order === 0 : order >= 0 && compared(version, ceiling(sign, bound)) < 0;
  });

/** The first version that is too new: ^ keeps the first number that is not 0, ~ the first two. */
function ceiling(sign: string, bound: string): string {
  const [major = 0, minor = 0, patch = 0] = numbers(bound);
  if (sign === '^' && major > 0) return `${major + 1}.0.0`;
  return sign === '~' || minor > 0 ? `${major}.${minor + 1}.0` : `0.0.${patch + 1}`;
}

const numbers = (version: string): number[] => version.split(/[-+]/, 1).join('').split('.').map(Number);

function compared(one: string, other: string): number {
  const [a, b] = [numbers(one), numbers(other)];
  const index = a.findIndex((number, at) => number !== b[at]);
  return index === -1 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}
