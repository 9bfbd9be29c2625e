/** One function for each verb of the API. */

import { type Draft, isRecord, type KubeObject } from '../objects.ts';
import { reviewAccess } from './access-review.ts';
import type { Answer, Document } from './answer.ts';
import { readDraft, readJson } from './body.ts';
import type { Call } from './call.ts';
import { applyChange, readWriteMode } from './dry-run.ts';
import { applyPatch } from './merge-patch.ts';
import { restrictNode } from './node-restriction.ts';
import { apiVersionOf, resourceNamed } from './resources.ts';
import { readSelector } from './selectors.ts';
import { badRequest, conflict, expired, notFound, success } from './status.ts';
import { prepareCreate, prepareUpdate } from './strategies.ts';
import { toTable, wantsTable } from './table.ts';
import { readWatch } from './watch.ts';

export const verbs: Record<string, (call: Call) => Answer> = {
  get,
  list,
  watch: (call) => ({ watch: readWatch(call) }),
  create,
  update,
  patch,
  delete: remove,
};

function get(call: Call): Document {
  const object = existing(call);
  const { resourceVersion } = object.metadata;
  const asTable = wantsTable(call.request.accept);
  return { code: 200, body: asTable ? toTable([object], { resourceVersion }, call.now()) : object };
}

function list({ store, resource, resourceType, namespace, request: { url, accept }, now }: Call): Document {
  const version = Number(url.searchParams.get('resourceVersion') ?? 0);
  if (url.searchParams.get('resourceVersionMatch') === 'Exact' && version < store.resourceVersion)
    throw expired(version, store.resourceVersion); // the store keeps no old versions
  const items = store.list(resource, namespace).filter(readSelector(url.searchParams)).sort(byName);
  const metadata = { resourceVersion: String(store.resourceVersion) };
  if (wantsTable(accept)) return { code: 200, body: toTable(items, metadata, now()) };
  const kind = `${resourceType.kind}List`;
  // As on a real cluster, the items of a list have no kind and no apiVersion.
  const bare = items.map(({ apiVersion: _, kind: __, ...item }) => item);
  return { code: 200, body: { kind, apiVersion: apiVersionOf(resourceType), metadata, items: bare } };
}

function create(call: Call): Document {
  const { store, resource, resourceType, namespace, request } = call;
  const draft = readDraft(call);
  const mode = readWriteMode('create', request.url.searchParams.getAll('dryRun'));
  if (!resourceType.stored) return { code: 201, body: reviewAccess(store, resourceType, draft, request.user) };
  if (namespace !== '' && store.get('namespaces', namespace) === undefined)
    throw notFound(resourceNamed('namespaces'), namespace);
  const change = store.proposeCreate(resource, prepareCreate(resourceType, draft, request.user));
  restrictNode(request.user, resource, change.object, undefined);
  return { code: 201, body: applyChange(store, change, mode) };
}

function update(call: Call): Document {
  return replace(call, existing(call), readDraft(call));
}

function patch(call: Call): Document {
  const before = existing(call);
  const { contentType, body } = call.request;
  return replace(call, before, applyPatch(contentType, before, body));
}

function replace(
  { store, resource, resourceType, subresource, name, request, verb, now }: Call,
  before: KubeObject,
  next: Draft,
): Document {
  const mode = readWriteMode(verb, request.url.searchParams.getAll('dryRun'));
  if (next.metadata?.name !== name)
    throw badRequest(`the name of the object (${next.metadata?.name}) does not match the name on the URL (${name})`);
  const change = store.proposeUpdate(resource, prepareUpdate(resourceType, subresource, next, before, now()));
  restrictNode(request.user, resource, change.object, before);
  return { code: 200, body: applyChange(store, change, mode) };
}

function remove(call: Call): Document {
  const { store, resource, resourceType, name, namespace, request } = call;
  const options = request.body.length === 0 ? {} : readJson(request.body);
  const inBody = Array.isArray(options.dryRun) ? options.dryRun.map(String) : [];
  const mode = readWriteMode('delete', [...request.url.searchParams.getAll('dryRun'), ...inBody]);
  const change = store.proposeDelete(resource, name, namespace);
  const { uid } = change.object.metadata;
  const expectedUid = isRecord(options.preconditions) ? options.preconditions.uid : undefined;
  if (expectedUid !== undefined && expectedUid !== uid)
    throw conflict(
      resourceType,
      name,
      `the UID in the precondition (${expectedUid}) does not match the UID in record (${uid}). The object ` +
        'might have been deleted and then recreated',
    );
  applyChange(store, change, mode);
  return { code: 200, body: success(resourceType, name, uid) };
}

function existing({ store, resource, resourceType, name, namespace }: Call): KubeObject {
  const found = store.get(resource, name, namespace);
  if (found === undefined) throw notFound(resourceType, name);
  return found;
}

const byName = (a: KubeObject, b: KubeObject): number => (key(a) < key(b) ? -1 : 1);
const key = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;
