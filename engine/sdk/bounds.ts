/**
 * The limits of a plugin, from its manifest. Administrators read the manifest before they install a plugin, not its
 * code.
 */
import { type ApiVerb, type Effect, pathMatcher } from './effects.ts';

/**
 * The most that the phases of a plugin may do, as its manifest declares it under `effects`.
 * @experimental
 */
export interface Bounds {
  /** Paths to write, link or delete. `*` matches any part of one name; `**` at the end matches everything below. */
  readonly paths: readonly string[];
  readonly services: readonly string[];
  /** Programs, by the name or path of the command. */
  readonly commands: readonly string[];
  readonly api: readonly { readonly verbs: readonly ApiVerb[]; readonly resource: string }[];
  /** Prefixes of addresses, such as `https://example.com/releases/`. `https://*` allows every https address. */
  readonly network: readonly string[];
  /** Directories below which the plugin may unmount file systems. */
  readonly mounts: readonly string[];
  /** Whether the plugin may remove Pod sandboxes. */
  readonly runtime: boolean;
}

/** The manifest entry that `effect` would need, as text; undefined if the bounds already allow it. */
export function missingBound(bounds: Bounds, effect: Effect): string | undefined {
  switch (effect.kind) {
    case 'path':
      return coversTemplate(bounds.paths, effect.path) ? undefined : `paths: ${effect.path}`;
    case 'service':
      return hasPlaceholder(effect.name) || bounds.services.includes(effect.name)
        ? undefined
        : `services: ${effect.name}`;
    case 'command':
      return hasPlaceholder(effect.program) || bounds.commands.includes(effect.program)
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
      return bounds.network.length > 0 ? undefined : 'network: the addresses that it calls';
    case 'etcd':
      return 'effects on etcd, which only phases of Joinery may have';
    default:
      return `effects of the kind ${(effect as { kind: unknown }).kind}, which this Joinery does not know`;
  }
}

/** The value of an input is only known in the run, and the ports check it again there. */
const hasPlaceholder = (template: string): boolean => template.includes('{');

/** Whether the bounds allow a program. `*` in the manifest allows one that a file owned by root names. */
export const allowsProgram = ({ commands }: Pick<Bounds, 'commands'>, program: string): boolean =>
  commands.includes(program) || commands.includes('*');

const allowsVerb = ({ api }: Bounds, verb: ApiVerb, resource: string): boolean =>
  api.some((allowed) => allowed.resource === resource && allowed.verbs.includes(verb));

/** Whether the patterns cover a path as a phase declares it. */
const coversTemplate = (patterns: readonly string[], template: string): boolean =>
  patterns.some((pattern) => pattern === '/**' || covers(pattern, template));

/** Whether the bounds allow a path. A path with `..`, `.` or empty parts is never allowed. */
export const allowsPath = ({ paths }: Pick<Bounds, 'paths'>, path: string): boolean =>
  !path
    .split('/')
    .slice(1)
    .some((part) => ['', '.', '..'].includes(part)) && paths.some((pattern) => covers(pattern, path));

function covers(pattern: string, path: string): boolean {
  const [expected, actual] = [pattern.split('/'), path.split('/')];
  const isDeep = expected.at(-1) === '**';
  const names = isDeep ? expected.slice(0, -1) : expected;
  if (isDeep ? actual.length <= names.length : actual.length !== names.length) return false;
  return names.every((name, index) => pathMatcher([name], {})(actual[index] ?? ''));
}

const ANY_HTTPS = 'https://*';

/**
 * Whether the bounds allow an address: it needs the origin of a prefix, and a path that starts with the path of the
 * prefix.
 */
export function allowsAddress({ network }: Pick<Bounds, 'network'>, address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { origin, pathname, protocol } = new URL(address);
  return network.some((prefix) => {
    if (prefix === ANY_HTTPS) return protocol === 'https:';
    const allowed = new URL(prefix);
    return allowed.origin === origin && pathname.startsWith(allowed.pathname);
  });
}

/** Whether the bounds allow connections to a port: an address of `network` is there. */
export const allowsPort = ({ network }: Pick<Bounds, 'network'>, host: string, port: number): boolean =>
  network.some((prefix) => {
    if (prefix === ANY_HTTPS) return true;
    const { hostname, port: own, protocol } = new URL(prefix);
    return hostname.replace(/^\[|\]$/g, '') === host && Number(own || DEFAULT_PORTS[protocol]) === port;
  });

const DEFAULT_PORTS: Record<string, number> = { 'https:': 443, 'http:': 80 };
