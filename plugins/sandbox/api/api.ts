/** The API behind the HTTPS server: it turns an authenticated request into an answer. Errors are StatusErrors. */
import type { Store } from '../store.ts';
import type { Answer, Document } from './answer.ts';
import { type Attributes, isAllowed, refusal } from './authorization.ts';
import type { ApiContext, ApiRequest } from './call.ts';
import { discoveryAt, discoveryPaths } from './discovery.ts';
import { readRequestInfo, type Target } from './request-info.ts';
import { apiVersionOf, findResource, type Resource } from './resources.ts';
import { forbidden, forbiddenPath, methodNotAllowed, noSuchResource } from './status.ts';
import { verbs } from './verbs.ts';

const HEALTHY = ['/healthz', '/livez', '/readyz'];

export function answer(context: ApiContext, request: ApiRequest): Answer {
  const { verb, target } = readRequestInfo(request.method, request.url);
  if (target === undefined) return answerPath(context, request, verb);
  authorize(context.store, { user: request.user, verb, ...target });
  const resourceType = findResource(context.served, target.group, target.version, target.resource);
  if (resourceType === undefined || !isServed(resourceType, target)) throw noSuchResource();
  const handler = verbs[verb];
  if (handler === undefined || !isOffered(resourceType, verb, target)) throw methodNotAllowed();
  return inVersion(resourceType, handler({ ...context, ...target, request, resourceType, verb }));
}

/** The store has objects in v1; a request for another version gets that version. */
function inVersion(resource: Resource, answer: Answer): Answer {
  if (resource.version === 'v1' || 'watch' in answer || typeof answer.body === 'string') return answer;
  return { ...answer, body: { ...answer.body, apiVersion: apiVersionOf(resource) } };
}

function authorize(store: Store, attributes: Attributes): void {
  if (isAllowed(store, attributes)) return;
  // An unauthorized user must not learn whether the server has the resource.
  const { group, resource: plural, name } = attributes;
  throw forbidden({ ...UNKNOWN, group, plural }, name, refusal(attributes));
}

const UNKNOWN: Omit<Resource, 'group' | 'plural'> = {
  version: '',
  kind: '',
  namespaced: false,
  subresources: [],
  shortNames: [],
  stored: false,
};

const isServed = ({ subresources, namespaced }: Resource, { subresource, namespace }: Target): boolean =>
  (subresource === '' || subresources.includes(subresource)) && (namespaced || namespace === '');

function isOffered({ stored, namespaced }: Resource, verb: string, { namespace, name, subresource }: Target): boolean {
  if (!stored || verb === 'create') return verb === 'create' && name === '' && namespaced === (namespace !== '');
  if (name === '' && verb !== 'list' && verb !== 'watch') return false;
  if (subresource !== '') return ['get', 'update', 'patch'].includes(verb);
  return !namespaced || namespace !== '' || verb === 'list' || verb === 'watch';
}

function answerPath(
  { store, gitVersion, server, served }: ApiContext,
  { user, url }: ApiRequest,
  verb: string,
): Document {
  const path = url.pathname;
  const attributes = { user, verb, group: '', resource: '', subresource: '', namespace: '', name: '', path };
  if (!isAllowed(store, attributes)) throw forbiddenPath(user.name, verb, path);
  if (verb !== 'get') throw methodNotAllowed();
  if (HEALTHY.includes(path)) return { code: 200, body: 'ok' };
  const document = discoveryAt(path, gitVersion, server, served);
  // Like the real server, this answer lists the known paths and is not a Status. Clients must handle it.
  return document === undefined
    ? { code: 404, body: { paths: discoveryPaths(served) } }
    : { code: 200, body: document };
}
