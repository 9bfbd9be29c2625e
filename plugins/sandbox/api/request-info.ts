/** Derives verb and resource from a request's method and path. Source: kubernetes, apiserver/pkg/endpoints/request. */
import { badRequest } from './status.ts';

export interface RequestInfo {
  /** get, list, watch, create, update, patch or delete; for other paths, the method in lower case. */
  verb: string;
  /** Undefined for paths such as /version. */
  target?: Target;
}

export interface Target {
  group: string;
  version: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
}

const VERBS: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

export function readRequestInfo(method: string, url: URL): RequestInfo {
  const target = readTarget(pathParts(url));
  if (target === undefined) return { verb: method.toLowerCase() };
  // Like the real server, a list with one name is authorized like that object.
  const selected = /^metadata\.name=([^,]+)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1] ?? '';
  const collection = target.name === '';
  const verb = method === 'GET' ? readVerb(collection, url) : (VERBS[method] ?? deleteVerb(method, collection));
  return { verb, target: collection && verb !== 'create' ? { ...target, name: selected } : target };
}

function readVerb(collection: boolean, url: URL): string {
  if (!collection) return 'get';
  return ['true', '1'].includes(url.searchParams.get('watch') ?? '') ? 'watch' : 'list';
}

function deleteVerb(method: string, collection: boolean): string {
  if (method !== 'DELETE') return method.toLowerCase();
  return collection ? 'deletecollection' : 'delete';
}

function pathParts(url: URL): string[] {
  try {
    return url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    throw badRequest('the path is not correctly encoded');
  }
}

function readTarget([prefix, ...parts]: string[]): Target | undefined {
  if (prefix !== 'api' && prefix !== 'apis') return undefined;
  const group = prefix === 'api' ? '' : (parts.shift() ?? '');
  const [version = '', ...rest] = parts;
  if (rest[0] === undefined) return undefined;
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const [namespace = '', resource = '', name = '', subresource = ''] = inNamespace ? rest.slice(1) : ['', ...rest];
  return { group, version, resource, subresource, namespace, name };
}
