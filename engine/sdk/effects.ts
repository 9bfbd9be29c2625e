/** What a phase may do, as data: the upper bound that the ports enforce, and that help and plan show beforehand. */
import type { ServiceAction } from './ports.ts';

export type ApiVerb = 'get' | 'list' | 'watch' | 'create' | 'patch';

export type Effect =
  | { kind: 'path'; path: string; mode: number | undefined; why: string }
  | { kind: 'service'; name: string; actions: readonly ServiceAction[]; why: string }
  | { kind: 'command'; program: string; why: string }
  | { kind: 'api'; verbs: readonly ApiVerb[]; resource: string; why: string }
  | { kind: 'service-data'; service: string; path: string; why: string }
  | { kind: 'mounts'; path: string; why: string }
  | { kind: 'runtime'; why: string }
  | { kind: 'web'; why: string }
  | { kind: 'http'; url: string; why: string };

/**
 * Names of paths, services, programs and addresses are templates: `{name}` stands for the value of an input, `{argv.0}` for what is
 * in one. Where that is not given, the effect is none. In paths and addresses `*` stands for any part of one name.
 */

/** Writes, links or removes `path`. */
export const writes = (path: string, mode: number | undefined, why: string): Effect => ({
  kind: 'path',
  path,
  mode,
  why,
});
export const controls = (name: string, actions: readonly ServiceAction[], why: string): Effect => ({
  kind: 'service',
  name,
  actions,
  why,
});
/** Starts the program `program` (`*`: one that a file of root's names), to ask it something or to have it change something. */
export const runs = (program: string, why: string): Effect => ({ kind: 'command', program, why });
/** Sends these verbs for `resource`, written as RBAC writes it: `nodes`, `certificatesigningrequests`. */
export const apiCalls = (verbs: readonly ApiVerb[], resource: string, why: string): Effect => ({
  kind: 'api',
  verbs,
  resource,
  why,
});

/** What a service writes by itself once this phase has started it: nobody else's change, and emptied when its start is undone. */
export const serviceWrites = (service: string, path: string, why: string): Effect => ({
  kind: 'service-data',
  service,
  path,
  why,
});
/** Unmounts what is mounted below `path`. */
export const unmounts = (path: string, why: string): Effect => ({ kind: 'mounts', path, why });
/** Removes Pod sandboxes of the container runtime. */
export const removesPodSandboxes = (why: string): Effect => ({ kind: 'runtime', why });

/** Makes http calls to `url`. */
export const httpCalls = (url: string, why: string): Effect => ({ kind: 'http', url, why });

/** Reads documents from https:// addresses. */
export const downloads = (why: string): Effect => ({ kind: 'web', why });

export const changesCluster = (effect: Effect): boolean =>
  effect.kind === 'api' && effect.verbs.some((verb) => verb === 'create' || verb === 'patch');

/** One line for help and plan. */
export function describeEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'path':
      return `writes ${effect.path}${effect.mode === undefined ? '' : ` (${effect.mode.toString(8).padStart(4, '0')})`}: ${effect.why}`;
    case 'service':
      return `${effect.actions.join(', ')} service ${effect.name}: ${effect.why}`;
    case 'command':
      return `runs ${effect.program === '*' ? 'any program' : effect.program}: ${effect.why}`;
    case 'api':
      return `${effect.verbs.join(', ')} ${effect.resource}: ${effect.why}`;
    case 'service-data':
      return `service ${effect.service} writes ${effect.path}: ${effect.why}`;
    case 'mounts':
      return `unmounts below ${effect.path}: ${effect.why}`;
    case 'web':
      return `reads from the web: ${effect.why}`;
    case 'http':
      return `calls ${effect.url}: ${effect.why}`;
    case 'runtime':
      return `removes Pod sandboxes: ${effect.why}`;
  }
}

const HOLE = /(\{[\w.]+\})/;

/** What a hole stands for, as text; undefined where the input does not say it. */
function valueAt(hole: string, input: object): string | undefined {
  let at: unknown = input;
  for (const part of hole.slice(1, -1).split('.'))
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? Reflect.get(at, part) : undefined;
  return ['string', 'number', 'boolean'].includes(typeof at) ? String(at) : undefined;
}

/** The template with the values of its holes; undefined where one of them is not given. */
export function fillTemplate(template: string, input: object): string | undefined {
  const parts = template.split(HOLE).map((part) => (HOLE.test(part) ? valueAt(part, input) : part));
  return parts.includes(undefined) ? undefined : parts.join('');
}

/** A test for paths that match one of `templates` (see `writes`) under these inputs. */
export function pathMatcher(templates: readonly string[], input: object): (path: string) => boolean {
  const patterns = templates.flatMap((template) => {
    const parts = template.split(/(\*|\{[\w.]+\})/).map((part) => {
      if (part === '*') return '[^/]*';
      // The value of an input is taken as it is: a star in it stands for itself.
      return (HOLE.test(part) ? valueAt(part, input) : part)?.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    });
    return parts.includes(undefined) ? [] : [new RegExp(`^${parts.join('')}$`)];
  });
  return (path) => patterns.some((pattern) => pattern.test(path));
}
