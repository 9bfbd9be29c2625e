/** RBAC over the objects in the store, so deleting a binding has the same effect as on a real cluster. */
import type { KubeObject } from '../objects.ts';
import type { Store } from '../store.ts';
import type { User } from './authentication.ts';

/** The action to authorize: a verb on a resource, or on a path such as /healthz. */
export interface Attributes {
  user: User;
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  /** Set for paths such as /healthz; the resource fields are then empty. */
  path?: string;
}

export interface Rule {
  verbs: readonly string[];
  apiGroups?: readonly string[];
  resources?: readonly string[];
  resourceNames?: readonly string[];
  nonResourceURLs?: readonly string[];
}

interface Role extends KubeObject {
  rules?: Rule[];
}

interface Binding extends KubeObject {
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; name: string }[];
}

export function isAllowed(store: Store, attributes: Attributes): boolean {
  if (attributes.user.groups.includes('system:masters')) return true;
  const bindings = store.list<Binding>('clusterrolebindings');
  if (attributes.namespace !== '') bindings.push(...store.list<Binding>('rolebindings', attributes.namespace));
  return bindings
    .filter((binding) => includesUser(binding, attributes.user))
    .flatMap((binding) => rulesOf(store, binding))
    .some((rule) => permits(rule, attributes));
}

/** `User "system:anonymous" cannot get resource "secrets" in API group "" in the namespace "kube-system"`. */
export function refusal({ user, verb, group, resource, subresource, namespace }: Attributes): string {
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  return `User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`;
}

const includesUser = ({ subjects = [] }: Binding, user: User): boolean =>
  subjects.some(({ kind, name }) =>
    kind === 'Group' ? user.groups.includes(name) : kind === 'User' && name === user.name,
  );

function rulesOf(store: Store, { roleRef, metadata }: Binding): Rule[] {
  const role =
    roleRef.kind === 'Role'
      ? store.get<Role>('roles', roleRef.name, metadata.namespace)
      : store.get<Role>('clusterroles', roleRef.name);
  return role?.rules ?? [];
}

function permits(rule: Rule, { verb, group, resource, subresource, name, path }: Attributes): boolean {
  if (!includes(rule.verbs, verb)) return false;
  if (path !== undefined) return rule.nonResourceURLs?.some((pattern) => coversPath(pattern, path)) ?? false;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const names = rule.resourceNames ?? [];
  return (
    includes(rule.apiGroups, group) && includes(rule.resources, what) && (names.length === 0 || names.includes(name))
  );
}

const includes = (list: readonly string[] | undefined, word: string): boolean =>
  list?.some((entry) => entry === '*' || entry === word) ?? false;

const coversPath = (pattern: string, path: string): boolean =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
