/** API requests of a dry run: reads are real, changes are sent with `dryRun=All`, and waits return at once. */
import { holds } from '../node/index.ts';
import { type ApiAnswer, type ApiClient, type ApiRequest, type ObjectWait, objectPath } from '../sdk/api.ts';
import { fail } from '../sdk/errors.ts';
import { requireOk } from './answer.ts';
import { DryRunObjects } from './dry-run-objects.ts';
import { StandIns } from './stand-ins.ts';

export function dryRunClient(client: ApiClient, now: () => Date): ApiClient {
  const dryRun = new DryRun(client, now);
  return {
    send: (request, signal) => dryRun.send(request, signal),
    waitFor: (wait, signal, onStandIn) => dryRun.waitFor(wait, signal, onStandIn),
  };
}

const NO_IDENTITY = 'the identity does not exist yet';

class DryRun {
  readonly #client: ApiClient;
  readonly #standIns: StandIns;
  readonly #objects: DryRunObjects;
  readonly #supported = new Map<string, Promise<boolean>>();

  constructor(client: ApiClient, now: () => Date) {
    this.#client = client;
    this.#standIns = new StandIns(now);
    this.#objects = new DryRunObjects((request, signal) => this.#try(request, signal));
  }

  async send(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    const { as } = request;
    // A stand-in is never sent as an identity.
    const isStandIn = as !== 'unverified' && 'server' in as && this.#standIns.isStandIn(as);
    return isStandIn ? this.#unchecked(request, NO_IDENTITY) : this.#objects.send(request, signal);
  }

  async waitFor({ as, ref, from, done }: ObjectWait, signal: AbortSignal, onStandIn?: () => void): Promise<unknown> {
    const current = from ?? (this.#standIns.isStandIn(as) ? undefined : await this.#read({ as, ref }, signal));
    if (current !== undefined && done(current)) return current;
    const object = this.#standIns.done(ref, current);
    if (!done(object)) throw fail('E_UNDECIDED', { what: `when ${ref.resource} ${ref.name} is done` });
    if (current === undefined) this.#objects.add(as.server, ref, object);
    onStandIn?.();
    return object;
  }

  async #read({ as, ref }: Pick<ObjectWait, 'as' | 'ref'>, signal: AbortSignal): Promise<unknown> {
    const request = { method: 'GET', path: objectPath(ref), query: {}, body: undefined } as const;
    const answer = await this.#client.send({ server: as.server, as, ref, ...request }, signal);
    if (answer.status === 404) return undefined;
    requireOk(answer, as.server, `get ${ref.resource} ${ref.name}`);
    return answer.body;
  }

  /** Sends a read unchanged, and a change with the option to check it only. */
  async #try(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    if (request.method === 'GET' || request.ref === undefined) return this.#client.send(request, signal);
    if (!(await this.#isSupported(request, signal)))
      return this.#unchecked(request, 'the server does not report version 1.13 or newer, and older ones cannot check');
    const answer = await this.#client.send({ ...request, query: { ...request.query, dryRun: 'All' } }, signal);
    const { message } = (answer.body ?? {}) as { message?: unknown };
    if (answer.status === 400 && /dry ?run/i.test(String(message)))
      return this.#unchecked(request, 'an admission webhook of the cluster does not support dry runs');
    return { ...answer, dryRun: 'checked' };
  }

  /** Servers support dry runs since 1.13. An older one would apply the change. */
  #isSupported(request: ApiRequest, signal: AbortSignal): Promise<boolean> {
    let supported = this.#supported.get(request.server);
    if (supported === undefined) {
      const version = { method: 'GET', ref: undefined, path: '/version', query: {}, body: undefined } as const;
      supported = this.#client.send({ ...request, ...version }, signal).then(({ body }) => checksDryRuns(body));
      this.#supported.set(request.server, supported);
      supported.catch(() => this.#supported.delete(request.server)); // a retry asks again
    }
    return supported;
  }

  /** The answer that the server would give if it could be asked. */
  #unchecked({ ref, method, path, body }: ApiRequest, why: string): ApiAnswer {
    if (ref === undefined || method === 'GET')
      throw fail('E_UNDECIDED', { what: `the answer to ${method} ${path}: ${NO_IDENTITY}` });
    const object = this.#standIns.stored(ref, body);
    return { status: method === 'POST' ? 201 : 200, body: object, clockSkewMs: undefined, dryRun: { unchecked: why } };
  }
}

function checksDryRuns(version: unknown): boolean {
  const { major, minor } = (version ?? {}) as { major?: string; minor?: string };
  return Number(major) > 1 || holds('serverDryRun', `v${major}.${Number.parseInt(minor ?? '', 10)}.0`);
}
