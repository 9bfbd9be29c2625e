/** The most that a plugin's phases may do, as its manifest declares it: whoever installs it has read that, and not its code. */
import { type ApiVerb, type Effect, pathMatcher } from './effects.ts';

export interface Bounds {
  /** What may be written, linked or removed: `*` stands for any part of one name, a last `**` for everything below. */
  readonly paths: readonly string[];
  readonly services: readonly string[];
  /** Programs by name or path, as they are started. */
  readonly commands: readonly string[];
  readonly api: readonly { readonly verbs: readonly ApiVerb[]; readonly resource: string }[];
  /** What addresses on the web begin with: `https://example.com/releases/`; `https://*` for all that an input names. */
  readonly network: readonly string[];
  /** Below which mounts may be taken away. */
  readonly mounts: readonly string[];
  /** Pod sandboxes may be removed. */
  readonly runtime: boolean;
}

/** What of `effect` the bounds leave out, in words; undefined where it lies within. */
export function missingBound(bounds: Bounds, effect: Effect): string | undefined {
  switch (effect.kind) {
    case 'path':
      return coversTemplate(bounds.paths, effect.path) ? undefined : `paths: ${effect.path}`;
    case 'service':
      return hasHole(effect.name) || bounds.services.includes(effect.name) ? undefined : `services: ${effect.name}`;
    case 'command':
      return hasHole(effect.program) || bounds.commands.includes(effect.program)
        ? undefined
        : `commands: ${effect.program}`;
    case 'api': {
      const missing = effect.verbs.filter((verb) => !allowsVerb(bounds, verb, effect.resource));
      return missing.length === 0 ? undefined : `api: ${missing.join(', ')} ${effect.resource}`;
    }
    case 'service-data':
      if (!bounds.services.includes(effect.service)) return `services: ${effect.service}`;
      return coversTemplate(bounds.paths, effect.path) ? undefined : `paths: ${effect.path}`;
    case 'mounts':
      return bounds.mounts.includes(effect.path) ? undefined : `mounts: ${effect.path}`;
    case 'runtime':
      return bounds.runtime ? undefined : 'runtime: true';
    case 'http':
    case 'web':
      return bounds.network.length > 0 ? undefined : 'network: the addresses that it reads';
    default:
      return `effects of the kind ${(effect as { kind: unknown }).kind}, which this Joinery does not know`;
  }
}

/** What an input will say is only known when it is used, and looked at again then. */
const hasHole = (template: string): boolean => template.includes('{');

/** Whether a program lies within: `*` in the manifest stands for one that a file of root's names. */
export const allowsProgram = ({ commands }: Pick<Bounds, 'commands'>, program: string): boolean =>
  commands.includes(program) || commands.includes('*');

const allowsVerb = ({ api }: Bounds, verb: ApiVerb, resource: string): boolean =>
  api.some((allowed) => allowed.resource === resource && allowed.verbs.includes(verb));

/** A path as a phase declares it. */
const coversTemplate = (patterns: readonly string[], template: string): boolean =>
  patterns.some((pattern) => pattern === '/**' || covers(pattern, template));

/** Whether a path lies within: never one that goes up, or has empty parts. */
export const allowsPath = ({ paths }: Pick<Bounds, 'paths'>, path: string): boolean =>
  !path
    .split('/')
    .slice(1)
    .some((part) => ['', '.', '..'].includes(part)) && paths.some((pattern) => covers(pattern, path));

function covers(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  const isDeep = wanted.at(-1) === '**';
  const names = isDeep ? wanted.slice(0, -1) : wanted;
  if (isDeep ? given.length <= names.length : given.length !== names.length) return false;
  return names.every((name, index) => pathMatcher([name], {})(given[index] ?? ''));
}

const ANY_HTTPS = 'https://*';

/** Whether an address lies within: the same origin, and a path that begins alike; `https://*` is every https address. */
export function allowsAddress({ network }: Pick<Bounds, 'network'>, address: string): boolean {
  if (!URL.canParse(address)) return false;
  const asked = new URL(address);
  return network.some((prefix) => {
    if (prefix === ANY_HTTPS) return asked.protocol === 'https:';
    const allowed = new URL(prefix);
    return allowed.origin === asked.origin && asked.pathname.startsWith(allowed.pathname);
  });
}
