/** The cluster of a fleet, as its admin reaches it. */
import type { Admin } from '../../kube/admin.ts';
import { type CsrObject, csrRef, type NodeObject, nodeRef } from '../../node/index.ts';
import { type ApiAnswer, type ApiRequest, collectionPath, objectPath } from '../../sdk/api.ts';
import type { KubeObject, ObjectRef } from '../../sdk/ports.ts';
import { type SecretObject, secretRef } from '../../tokens/secret.ts';
import { askAsAdmin, type JoinTarget, Tokens } from '../../tokens/tokens.ts';

type Send = (request: ApiRequest) => Promise<ApiAnswer>;

/** Errors of every method: E_KUBECONFIG_ACCESS, E_API_…. */
export class FleetCluster {
  readonly tokens: Tokens;
  readonly #admin: Admin;
  readonly #send: Send;
  #target: Promise<JoinTarget> | undefined;

  constructor(admin: Admin, send: Send) {
    this.#admin = admin;
    this.#send = send;
    this.tokens = new Tokens(admin, send);
  }

  /** Read once for all machines. */
  target(): Promise<JoinTarget> {
    this.#target ??= this.tokens.joinTarget().catch((error: unknown) => {
      this.#target = undefined;
      throw error;
    });
    return this.#target;
  }

  node(name: string): Promise<NodeObject | undefined> {
    return this.#get<NodeObject>(nodeRef(name));
  }

  /** A Node with another uid stays. */
  async deleteNode(name: string, uid: string): Promise<void> {
    const ref = nodeRef(name);
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
    const answer = await this.#ask({ method: 'DELETE', ref, path: objectPath(ref), body }, `delete node ${name}`, 409);
    if (answer.status === 409) return;
  }

  tokenSecret(id: string): Promise<SecretObject | undefined> {
    return this.#get<SecretObject>(secretRef(id));
  }

  /** Clusters up to 1.18 have only the version v1beta1. */
  async csr(name: string): Promise<{ ref: ObjectRef; csr: CsrObject } | undefined> {
    for (const version of ['v1', 'v1beta1'] as const) {
      const ref = csrRef(name, version);
      const csr = await this.#get<CsrObject>(ref);
      if (csr !== undefined) return { ref, csr };
    }
    return undefined;
  }

  /** The requests of this user. */
  async csrsOf(username: string): Promise<CsrObject[]> {
    const found: CsrObject[] = [];
    let next = '';
    do {
      const query = { limit: '500', ...(next === '' ? {} : { continue: next }) };
      const path = collectionPath(csrRef(''));
      const { body } = await this.#ask({ method: 'GET', ref: csrRef(''), path, query }, 'list certificate requests');
      const { items, metadata } = (body ?? {}) as { items?: CsrObject[]; metadata?: { continue?: string } };
      found.push(...(items ?? []).filter(({ spec }) => spec.username === username));
      next = metadata?.continue ?? '';
    } while (next !== '');
    return found;
  }

  /** Adds the condition to exactly this object: false if it has changed, or is another one of the same name. */
  async approve(ref: ObjectRef, { metadata, status }: CsrObject, message: string): Promise<boolean> {
    const { uid, resourceVersion } = metadata;
    const approved = { type: 'Approved', status: 'True', reason: 'FleetApproved', message };
    const body = {
      metadata: { uid, resourceVersion },
      status: { conditions: [...(status?.conditions ?? []), approved] },
    };
    const path = `${objectPath(ref)}/approval`;
    const answer = await this.#ask({ method: 'PATCH', ref, path, body }, `approve ${ref.name}`, 409);
    return answer.status !== 409;
  }

  async #get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined> {
    const request = { method: 'GET', ref, path: objectPath(ref) } as const;
    const { status, body } = await this.#ask(request, `get ${ref.resource} ${ref.name}`, 404);
    return status === 404 ? undefined : (body as T);
  }

  #ask(
    request: Pick<ApiRequest, 'method' | 'ref' | 'path'> & Partial<Pick<ApiRequest, 'query' | 'body'>>,
    what: string,
    expected?: number,
  ): Promise<ApiAnswer> {
    return askAsAdmin(this.#admin, this.#send, { query: {}, body: undefined, ...request, what, expected });
  }
}
