/** The `kube` port: requests about objects, which return objects or throw errors. */
import { readKubeconfig } from '../node/kubeconfig.ts';
import { paths } from '../node/paths.ts';
import {
  type ApiAnswer,
  type ApiChange,
  type ApiRequest,
  collectionPath,
  type KubePortOptions,
  objectPath,
} from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import type { Identity, Kube, KubeApi, KubeObject, ObjectRef } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';
import { kubeObject, requireOk } from './answer.ts';
import { clusterInfoOf } from './cluster-info.ts';

export function kubePort(options: KubePortOptions): Kube {
  const { client, signal, requireApi } = options;
  return {
    async clusterInfo(server, trust) {
      requireApi('get', 'configmaps');
      await requireServer(server, options);
      return clusterInfoOf((request) => client.send(request, signal), server, trust);
    },
    as: (identity) => new IdentityApi(identity, options),
  };
}

type Send = Pick<ApiRequest, 'method' | 'path'> &
  Partial<Pick<ApiRequest, 'query' | 'ref' | 'body'>> & { verb: string };

/** The API for one identity. */
class IdentityApi implements KubeApi {
  readonly #identity: Identity;
  readonly #options: KubePortOptions;
  #clockSkewMs: number | undefined;

  constructor(identity: Identity, options: KubePortOptions) {
    this.#identity = identity;
    this.#options = options;
  }

  async get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined> {
    this.#options.requireApi('get', ref.resource);
    const answer = await this.#send({ verb: 'get', method: 'GET', ref, path: objectPath(ref) });
    return answer.status === 404 ? undefined : this.#object<T>(answer);
  }

  async list<T extends KubeObject>(
    of: Omit<ObjectRef, 'name'>,
    labels: Readonly<Record<string, string>>,
  ): Promise<T[]> {
    const { requireApi } = this.#options;
    requireApi('list', of.resource);
    const labelSelector = Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(',');
    const path = collectionPath({ ...of, name: '' });
    const { body } = await this.#send({ verb: `list ${of.resource}`, method: 'GET', path, query: { labelSelector } });
    const { items } = (body ?? {}) as { items?: unknown };
    const { server } = this.#identity;
    if (!Array.isArray(items)) throw fail('E_API_ANSWER', { server, what: `not a list of ${of.resource}` });
    return items.map((item) => kubeObject<T>(item, server));
  }

  async create<T extends KubeObject>(ref: ObjectRef, body: T): Promise<T | undefined> {
    this.#options.requireApi('create', ref.resource);
    const answer = await this.#send({ verb: 'create', method: 'POST', ref, path: collectionPath(ref), body });
    return answer.status === 409 ? undefined : this.#object<T>(answer);
  }

  async patch<T extends KubeObject>(ref: ObjectRef, patch: object, subresource?: 'status'): Promise<T> {
    const suffix = subresource === undefined ? '' : `/${subresource}`;
    const resource = `${ref.resource}${suffix}`;
    this.#options.requireApi('patch', resource);
    const path = `${objectPath(ref)}${suffix}`;
    return this.#object<T>(
      await this.#send({ verb: 'patch', method: 'PATCH', ref: { ...ref, resource }, path, body: patch }),
    );
  }

  async waitFor<T extends KubeObject>(
    ref: ObjectRef,
    done: (found: T | undefined) => boolean,
    from?: T,
    about?: Readonly<Record<string, string>>,
  ): Promise<T> {
    const { client, requireApi, signal } = this.#options;
    requireApi('watch', ref.resource);
    await requireServer(this.#identity.server, this.#options);
    const check = (found: unknown): boolean => done(found as T | undefined);
    return (await client.waitFor({ as: this.#identity, ref, done: check, from, about }, signal)) as T;
  }

  async can(verb: string, group: string, resource: string, subresource?: string): Promise<boolean> {
    this.#options.requireAlive(`asking whether this identity may ${verb} ${resource}`);
    const resourceAttributes = { verb, group, resource, ...(subresource !== undefined && { subresource }) };
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const answer = await this.#send({ verb: 'ask what is allowed', method: 'POST', path, body });
    return (answer.body as { status?: { allowed?: unknown } } | null)?.status?.allowed === true;
  }

  async serverVersion(): Promise<string> {
    this.#options.requireAlive("asking for the server's version");
    const { body } = await this.#send({ verb: 'report its version', method: 'GET', path: '/version' });
    const version = (body as { gitVersion?: unknown } | null)?.gitVersion;
    if (typeof version !== 'string')
      throw fail('E_API_ANSWER', { server: this.#identity.server, what: 'not a version of Kubernetes' });
    return clean(version);
  }

  clockSkewMs(): number | undefined {
    return this.#clockSkewMs;
  }

  #object<T extends KubeObject>({ body }: ApiAnswer): T {
    return kubeObject<T>(body, this.#identity.server);
  }

  /**
   * Records a change before it is sent. Refusals are errors, except those that `get` and `create` answer with
   * undefined.
   */
  async #send({ verb, method, path, query = {}, ref, body }: Send): Promise<ApiAnswer> {
    const { client, signal, record, onChange } = this.#options;
    const { server } = this.#identity;
    await requireServer(server, this.#options);
    const isChange = ref !== undefined && method !== 'GET';
    const withdraw = isChange ? await record(changeOf(verb, ref, {})) : undefined;
    const answer = await client.send({ server, as: this.#identity, method, ref, path, query, body }, signal);
    this.#clockSkewMs = answer.clockSkewMs ?? this.#clockSkewMs;
    if (isRefusal(answer)) await withdraw?.();
    const isExpected = (verb === 'get' && answer.status === 404) || (verb === 'create' && answer.status === 409);
    if (!isExpected) requireOk(answer, server, ref === undefined ? verb : `${verb} ${ref.resource} ${ref.name}`);
    if (isChange && answer.status < 300) onChange(changeOf(verb, ref, answer));
    return answer;
  }
}

/** Whether the server has certainly not done what was asked. It may still do so after a timeout (408). */
const isRefusal = ({ status }: ApiAnswer): boolean => status >= 400 && status < 500 && status !== 408;

/** A plugin speaks to the cluster of this machine, or to servers that its bounds or its input name. */
async function requireServer(server: string, { allowsServer, readFile }: KubePortOptions): Promise<void> {
  if (allowsServer(server)) return;
  const conf = await readFile(paths.kubeletConf);
  if (conf !== undefined && serversIn(conf).includes(server)) return;
  throw fail('E_EFFECT_UNDECLARED', { what: `send requests to ${server}` });
}

function serversIn(conf: Buffer): string[] {
  try {
    return readKubeconfig(conf.toString('utf8')).clusters.map((cluster) => cluster.server);
  } catch {
    return []; // the file is broken
  }
}

function changeOf(verb: string, { resource, name }: ObjectRef, { dryRun }: Pick<ApiAnswer, 'dryRun'>): ApiChange {
  const change = { kind: 'api', verb, resource, name } as const;
  if (dryRun === undefined) return { ...change, checked: 'sent' };
  if (dryRun === 'checked') return { ...change, checked: 'dry-run' };
  return { ...change, checked: 'not-checked', why: dryRun.unchecked };
}
