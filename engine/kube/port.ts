/** The `kube` port: requests about objects, answers as objects or as errors that say what to do. */
import type { ApiAnswer, ApiRequest, Host, StepChange } from '../host/host.ts';
import { type ConfigMapObject, configMapRef } from '../node/objects.ts';
import type { ApiVerb } from '../sdk/effects.ts';
import { fail } from '../sdk/errors.ts';
import type { ClusterInfo, Identity, Kube, KubeApi, KubeObject, ObjectRef } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';

interface Guard {
  /** Throws once the attempt has ended. */
  alive(what: string): void;
  /** Throws for what the phase did not declare, too. */
  api(verb: ApiVerb, resource: string): void;
}

interface Changes {
  /** Awaited before a change is sent. */
  record(change: StepChange): Promise<void>;
  onChange(change: StepChange): void;
}

export function kubePort(host: Host, signal: AbortSignal, guard: Guard, changes: Changes): Kube {
  return {
    async clusterInfo(server, trust) {
      guard.api('get', 'configmaps');
      return clusterInfoOf((request) => host.send(request, signal), server, trust);
    },
    as: (identity) => apiOf(host, identity, signal, guard, changes),
  };
}

/** cluster-info as anybody sees it. */
export async function clusterInfoOf(
  send: (request: ApiRequest) => Promise<ApiAnswer>,
  server: string,
  trust: 'unverified' | { ca: string },
): Promise<ClusterInfo> {
  const ref = configMapRef('kube-public', 'cluster-info');
  const answer = await send({
    server,
    as: trust,
    method: 'GET',
    ref,
    path: objectPath(ref),
    query: {},
    body: undefined,
  });
  if ([401, 403, 404].includes(answer.status)) throw fail('E_CLUSTER_INFO_MISSING', { server, status: answer.status });
  throwUnlessOk(answer, server, 'get cluster-info');
  const data = kubeObject<ConfigMapObject>(answer.body, server).data ?? {};
  if (!isTexts(data)) throw fail('E_CLUSTER_INFO_INVALID', { server, what: 'its data are not texts' });
  return { data, clockSkewMs: answer.clockSkewMs };
}

function apiOf(host: Host, identity: Identity, signal: AbortSignal, guard: Guard, changes: Changes): KubeApi {
  const { server } = identity;
  let clockSkewMs: number | undefined;
  const send = async (
    verb: string,
    method: ApiRequest['method'],
    ref: ObjectRef | undefined,
    path: string,
    body?: object,
  ): Promise<ApiAnswer> => {
    const isChange = ref !== undefined && method !== 'GET';
    if (isChange) await changes.record({ ...toldRef(verb, ref), checked: 'sent' });
    const answer = await host.send({ server, as: identity, method, ref, path, query: {}, body }, signal);
    clockSkewMs = answer.clockSkewMs ?? clockSkewMs;
    const expected = (verb === 'get' && answer.status === 404) || (verb === 'create' && answer.status === 409);
    if (!expected) throwUnlessOk(answer, server, ref === undefined ? verb : `${verb} ${ref.resource} ${ref.name}`);
    if (isChange && answer.status < 300) changes.onChange(toldChange(verb, ref, answer));
    return answer;
  };
  return {
    async get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined> {
      guard.api('get', ref.resource);
      const answer = await send('get', 'GET', ref, objectPath(ref));
      return answer.status === 404 ? undefined : kubeObject<T>(answer.body, server);
    },
    async create<T extends KubeObject>(ref: ObjectRef, body: T): Promise<T | undefined> {
      guard.api('create', ref.resource);
      const answer = await send('create', 'POST', ref, collectionPath(ref), body);
      return answer.status === 409 ? undefined : kubeObject<T>(answer.body, server);
    },
    async patch<T extends KubeObject>(ref: ObjectRef, patch: object, subresource?: 'status'): Promise<T> {
      const resource = subresource === undefined ? ref.resource : `${ref.resource}/${subresource}`;
      guard.api('patch', resource);
      const path = subresource === undefined ? objectPath(ref) : `${objectPath(ref)}/${subresource}`;
      const { body } = await send('patch', 'PATCH', { ...ref, resource }, path, patch);
      return kubeObject<T>(body, server);
    },
    async waitFor<T extends KubeObject>(ref: ObjectRef, done: (found: T | undefined) => boolean, from?: T): Promise<T> {
      guard.api('watch', ref.resource);
      const check = (found: unknown): boolean => done(found as T | undefined);
      return (await host.wait({ kind: 'object', as: identity, ref, done: check, from }, signal)) as T;
    },
    async can(verb, group, resource, subresource) {
      guard.alive(`asking whether we may ${verb} ${resource}`);
      const spec = {
        resourceAttributes: { verb, group, resource, ...(subresource === undefined ? {} : { subresource }) },
      };
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const answer = await send('ask what is allowed', 'POST', undefined, path, review);
      return (answer.body as { status?: { allowed?: unknown } } | null)?.status?.allowed === true;
    },
    async serverVersion() {
      guard.alive("asking for the server's version");
      const { body } = await send('say its version', 'GET', undefined, '/version');
      const version = (body as { gitVersion?: unknown } | null)?.gitVersion;
      if (typeof version !== 'string') throw fail('E_API_ANSWER', { server, what: 'no version of Kubernetes' });
      return clean(version);
    },
    clockSkewMs: () => clockSkewMs,
  };
}

const toldRef = (verb: string, { resource, name }: ObjectRef) => ({ kind: 'api', verb, resource, name }) as const;

function toldChange(verb: string, ref: ObjectRef, { dryRun }: ApiAnswer): StepChange {
  const told = toldRef(verb, ref);
  if (dryRun === undefined) return { ...told, checked: 'sent' };
  return dryRun === 'checked'
    ? { ...told, checked: 'dry-run' }
    : { ...told, checked: 'not-checked', why: dryRun.unchecked };
}

export function collectionPath({ apiVersion, resource, namespace }: ObjectRef): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${resource}`;
}
export const objectPath = (ref: ObjectRef): string => `${collectionPath(ref)}/${encodeURIComponent(ref.name)}`;

/** `body`, which must be an object with metadata. */
export function kubeObject<T extends KubeObject>(body: unknown, server: string): T {
  if (!isObject(body)) throw fail('E_API_ANSWER', { server, what: 'no Kubernetes object' });
  return body as unknown as T;
}
export const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTexts = (value: unknown): value is Record<string, string> =>
  isMapping(value) && Object.values(value).every((text) => typeof text === 'string');
export const isObject = (value: unknown): value is KubeObject => isMapping(value) && isMapping(value.metadata);

export function throwUnlessOk({ status, body, retryAfterMs }: ApiAnswer, server: string, what: string): void {
  if (status >= 200 && status < 300) return;
  const said = (body as { message?: unknown } | null)?.message;
  const message = clean(typeof said === 'string' ? said : '');
  if (status === 401) throw fail('E_API_UNAUTHORIZED', { server, what });
  if (status === 403) throw fail('E_API_FORBIDDEN', { server, what, message });
  if (status === 429 || status >= 500) throw fail('E_API_UNAVAILABLE', { server, what, status, message, retryAfterMs });
  throw fail('E_API_REFUSED', { server, what, status, message });
}
