/** The bootstrap tokens of a cluster, for a user with access to Secrets of kube-system. */

import type { Admin } from '../kube/admin.ts';
import { requireOk } from '../kube/answer.ts';
import { clusterInfoOf } from '../kube/cluster-info.ts';
import { readClusterInfo } from '../node/cluster-info.ts';
import { type ApiAnswer, type ApiRequest, collectionPath, objectPath } from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import type { Secret } from '../sdk/secret.ts';
import { clean } from '../sdk/text.ts';
import { SECRET_TYPE, type SecretObject, secretOf, secretRef, tokenOf } from './secret.ts';
import { type BootstrapToken, tokenText } from './token.ts';

export interface TokenList {
  tokens: BootstrapToken[];
  /** Secrets of the type that hold no token, by name. */
  unusable: { secret: string; reason: string }[];
}

/** Errors of every method: E_KUBECONFIG_ACCESS, E_API_…. */
export class Tokens {
  readonly #admin: Admin;
  readonly #send: (request: ApiRequest) => Promise<ApiAnswer>;

  constructor(admin: Admin, send: (request: ApiRequest) => Promise<ApiAnswer>) {
    this.#admin = admin;
    this.#send = send;
  }

  /** E_TOKEN_EXISTS. */
  async create(token: BootstrapToken): Promise<void> {
    const path = collectionPath(secretRef(token.id));
    const answer = await this.#ask('POST', token.id, path, { body: secretOf(token), expected: 409 });
    if (answer.status === 409) throw fail('E_TOKEN_EXISTS', { id: token.id });
  }

  /** Sorted by id. */
  async list(): Promise<TokenList> {
    const path = collectionPath(secretRef(''));
    const { body } = await this.#ask('GET', '', path, { query: { fieldSelector: `type=${SECRET_TYPE}` } });
    const { items } = (body ?? {}) as { items?: SecretObject[] };
    if (!Array.isArray(items))
      throw fail('E_API_ANSWER', { server: this.#admin.server, what: 'not a list of Secrets' });
    const found: TokenList = { tokens: [], unusable: [] };
    for (const item of items)
      try {
        found.tokens.push(tokenOf(item));
      } catch (error) {
        found.unusable.push({ secret: clean(item.metadata.name ?? ''), reason: (error as Error).message });
      }
    found.tokens.sort((a, b) => (a.id < b.id ? -1 : 1));
    return found;
  }

  /** False if the cluster has no token with that ID. */
  async delete(id: string): Promise<boolean> {
    const answer = await this.#ask('DELETE', id, objectPath(secretRef(id)), { expected: 404 });
    return answer.status !== 404;
  }

  /**
   * The API server and CA for joining machines, from the cluster's cluster-info. E_CLUSTER_INFO_MISSING,
   * E_CLUSTER_INFO_INVALID.
   */
  async joinTarget(): Promise<JoinTarget> {
    const { server, ca } = this.#admin;
    const { data } = await clusterInfoOf(this.#send, server, { ca });
    const found = readClusterInfo(data.kubeconfig ?? '', server);
    const { hostname, port } = new URL(found.server);
    return { endpoint: `${hostname}:${port || '443'}`, pins: found.certificates.map(({ pin }) => pin) };
  }

  async #ask(
    method: 'GET' | 'POST' | 'DELETE',
    id: string,
    path: string,
    { query = {}, body, expected }: { query?: ApiRequest['query']; body?: object; expected?: number },
  ): Promise<ApiAnswer> {
    const request = { method, ref: secretRef(id), path, query, body };
    return askAsAdmin(this.#admin, this.#send, { ...request, what: `${VERB[method]} bootstrap tokens`, expected });
  }
}

export interface AdminRequest extends Pick<ApiRequest, 'method' | 'ref' | 'path' | 'query' | 'body'> {
  /** What the user wants, such as "list bootstrap tokens". */
  what: string;
  /** A status that is not an error. */
  expected: number | undefined;
}

/** E_KUBECONFIG_ACCESS, E_API_…. */
export async function askAsAdmin(
  admin: Admin,
  send: (request: ApiRequest) => Promise<ApiAnswer>,
  { what, expected, ...request }: AdminRequest,
): Promise<ApiAnswer> {
  const { server, file } = admin;
  const answer = await send({ server, as: admin, ...request });
  const { status } = answer;
  if (status === 401 || status === 403) {
    const message = clean(String((answer.body as { message?: unknown } | null)?.message ?? ''));
    throw fail('E_KUBECONFIG_ACCESS', { server, file, what, status, message });
  }
  if (status !== expected) requireOk(answer, server, what);
  return answer;
}

export interface JoinTarget {
  /** host:port */
  endpoint: string;
  /** `sha256:<hex>`, one for each CA certificate. */
  pins: string[];
}

/**
 * The line that joins a machine with the token, as a control plane if there is a key. It also works for kubeadm if
 * `kubeadm join` replaces its first two words.
 */
export const joinCommand = (token: BootstrapToken, { endpoint, pins }: JoinTarget, certificateKey?: Secret): string =>
  ['join run', endpoint, '--token', tokenText(token)]
    .concat(pins.map((pin) => `--discovery-token-ca-cert-hash ${pin}`))
    .concat(certificateKey === undefined ? [] : ['--control-plane', '--certificate-key', certificateKey.reveal()])
    .join(' ');

const VERB = { GET: 'list', POST: 'create', DELETE: 'delete' };
