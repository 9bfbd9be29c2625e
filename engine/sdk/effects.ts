/**
 * Effects: what a phase may do, as data. The ports enforce this limit, and the help and the plan print it.
 *
 * Paths, services, programs and addresses are templates: `{name}` stands for the value of an input, and `{argv.0}` for
 * a part of one.
 * If the input has no value, the effect does not exist. In paths and addresses, `*` matches any part of one name.
 */
import type { ServiceAction } from './ports.ts';

/**
 * Verbs of the Kubernetes API, as in RBAC rules.
 * @stable
 */
export type ApiVerb = 'get' | 'list' | 'watch' | 'create' | 'patch';

/**
 * One effect of a phase. Create it with the functions below.
 * @stable
 */
export type Effect =
  | { kind: 'path'; path: string; mode: number | undefined; why: string }
  | { kind: 'service'; name: string; actions: readonly ServiceAction[]; why: string }
  | { kind: 'command'; program: string; why: string }
  | { kind: 'api'; verbs: readonly ApiVerb[]; resource: string; why: string }
  | { kind: 'service-data'; service: string; path: string; why: string }
  | { kind: 'mounts'; path: string; why: string }
  | { kind: 'runtime'; why: string }
  | { kind: 'web'; why: string }
  | { kind: 'http'; url: string; why: string }
  | { kind: 'etcd'; access: 'read' | 'change'; why: string };

/**
 * The phase writes, links or deletes `path`. `mode` is for the reader; undefined if the phase does not write a file.
 *
 * @example writes('/etc/motd', 0o644, 'the greeting')
 * @stable
 */
export const writes = (path: string, mode: number | undefined, why: string): Effect => ({
  kind: 'path',
  path,
  mode,
  why,
});
/**
 * The phase performs these actions on a service.
 *
 * @example controls('kubelet', ['stop', 'start'], 'it must not start with half of its files')
 * @stable
 */
export const controls = (name: string, actions: readonly ServiceAction[], why: string): Effect => ({
  kind: 'service',
  name,
  actions,
  why,
});
/**
 * The phase runs a program, to read or to change something. `*` stands for a program that a file owned by root names.
 * @stable
 */
export const runs = (program: string, why: string): Effect => ({ kind: 'command', program, why });
/**
 * The phase sends requests to the Kubernetes API. `resource` is spelled as in RBAC rules: `nodes`, `nodes/status`.
 * @stable
 */
export const apiCalls = (verbs: readonly ApiVerb[], resource: string, why: string): Effect => ({
  kind: 'api',
  verbs,
  resource,
  why,
});

/**
 * A service writes `path` by itself after this phase has started it. An undo of the start deletes the content of
 * `path`.
 * @stable
 */
export const serviceWrites = (service: string, path: string, why: string): Effect => ({
  kind: 'service-data',
  service,
  path,
  why,
});
/**
 * The phase unmounts the file systems that are mounted below `path`.
 * @stable
 */
export const unmounts = (path: string, why: string): Effect => ({ kind: 'mounts', path, why });
/**
 * The phase removes Pod sandboxes from the container runtime.
 * @stable
 */
export const removesPodSandboxes = (why: string): Effect => ({ kind: 'runtime', why });

/**
 * The phase makes HTTP calls to `url`.
 * @stable
 */
export const httpCalls = (url: string, why: string): Effect => ({ kind: 'http', url, why });

/**
 * The phase downloads documents from https:// addresses.
 * @stable
 */
export const downloads = (why: string): Effect => ({ kind: 'web', why });

/**
 * The phase reads the members of the cluster's etcd, and whether they are healthy.
 * @experimental
 */
export const readsEtcd = (why: string): Effect => ({ kind: 'etcd', access: 'read', why });

/**
 * The phase adds, promotes or removes members of the cluster's etcd, and reads them.
 * @experimental
 */
export const changesEtcd = (why: string): Effect => ({ kind: 'etcd', access: 'change', why });

/**
 * Whether the effect changes objects of the cluster, which only the phase itself can undo.
 * @experimental
 */
export const changesCluster = (effect: Effect): boolean =>
  (effect.kind === 'api' && effect.verbs.some((verb) => verb === 'create' || verb === 'patch')) ||
  (effect.kind === 'etcd' && effect.access === 'change');

/**
 * Whether a phase with these effects is a check: it only reads, and it waits for nothing. A program that the pipeline
 * names may change something.
 * @experimental
 */
export const isCheck = (effects: readonly Effect[]): boolean =>
  effects.every((effect) => {
    if (effect.kind === 'api') return effect.verbs.every((verb) => verb === 'get' || verb === 'list');
    if (effect.kind === 'etcd') return effect.access === 'read';
    return effect.kind === 'web' || (effect.kind === 'command' && !effect.program.startsWith('{'));
  });

const modeText = (mode: number | undefined): string =>
  mode === undefined ? '' : ` (${mode.toString(8).padStart(4, '0')})`;

/**
 * The effect as one line, as the help and the plan print it.
 * @experimental
 */
export function describeEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'path':
      return `writes ${effect.path}${modeText(effect.mode)}: ${effect.why}`;
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
    case 'etcd':
      return `${effect.access === 'read' ? 'reads' : 'changes'} members of etcd: ${effect.why}`;
  }
}

const PLACEHOLDER = /(\{[\w.]+\})/;

/** The value of a placeholder as text; undefined if the input has none. */
function valueAt(placeholder: string, input: object): string | undefined {
  let at: unknown = input;
  for (const part of placeholder.slice(1, -1).split('.'))
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? Reflect.get(at, part) : undefined;
  return ['string', 'number', 'boolean'].includes(typeof at) ? String(at) : undefined;
}

/** The template with its placeholders replaced by values; undefined if one of them has no value. */
export function fillTemplate(template: string, input: object): string | undefined {
  const parts = template.split(PLACEHOLDER).map((part) => (PLACEHOLDER.test(part) ? valueAt(part, input) : part));
  return parts.includes(undefined) ? undefined : parts.join('');
}

/** A test for paths that match one of `templates` with these inputs. */
export function pathMatcher(templates: readonly string[], input: object): (path: string) => boolean {
  const patterns = templates.flatMap((template) => {
    const parts = template.split(/(\*|\{[\w.]+\})/).map((part) => {
      if (part === '*') return '[^/]*';
      // A star in the value of an input is a literal star.
      return (PLACEHOLDER.test(part) ? valueAt(part, input) : part)?.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    });
    return parts.includes(undefined) ? [] : [new RegExp(`^${parts.join('')}$`)];
  });
  return (path) => patterns.some((pattern) => pattern.test(path));
}
