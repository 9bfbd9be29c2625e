/** SubjectAccessReview and SelfSubjectAccessReview. The server answers them and stores nothing. */
import { type Draft, isRecord, type Json } from '../objects.ts';
import type { Store } from '../store.ts';
import type { User } from './authentication.ts';
import { type Attributes, isAllowed } from './authorization.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { invalid, invalidValue } from './status.ts';

export function reviewAccess(store: Store, resource: Resource, draft: Draft, caller: User): Json {
  const spec = isRecord(draft.spec) ? draft.spec : {};
  const user = resource.kind === 'SubjectAccessReview' ? subjectOf(spec) : caller;
  const attributes = readAttributes(spec, user);
  if (attributes === undefined) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw invalid(resource.kind, resource.group, '', [invalidValue('spec.resourceAttributes', null, why)]);
  }
  const status = { allowed: isAllowed(store, attributes) };
  return {
    kind: resource.kind,
    apiVersion: apiVersionOf(resource),
    metadata: { creationTimestamp: null },
    spec,
    status,
  };
}

const subjectOf = ({ user, groups }: Json): User => ({
  name: text(user),
  groups: Array.isArray(groups) ? groups.map(text) : [],
});

function readAttributes(spec: Json, user: User): Attributes | undefined {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (isRecord(resource) === isRecord(path)) return undefined;
  const from = isRecord(resource) ? resource : {};
  return {
    user,
    verb: text(isRecord(path) ? path.verb : from.verb),
    group: text(from.group),
    resource: text(from.resource),
    subresource: text(from.subresource),
    namespace: text(from.namespace),
    name: text(from.name),
    ...(isRecord(path) ? { path: text(path.path) } : {}),
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
