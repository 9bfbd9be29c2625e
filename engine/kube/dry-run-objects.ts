/** The objects that a dry run would have changed. The server has checked each change and stored none. */
import { type ApiAnswer, type ApiClient, type ApiRequest, objectPath } from '../sdk/api.ts';
import type { ObjectRef } from '../sdk/ports.ts';

type Send = ApiClient['send'];
/** `isNew`: the server has no such object yet. */
type Remembered = { object: object; isNew: boolean };

/**
 * A created name is taken from then on, and a changed object is read with its changes. The server answers all other
 * reads.
 */
export class DryRunObjects {
  readonly #objects = new Map<string, Remembered>();
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  /** An object that only the dry run has, such as a Node that would have registered. */
  add(server: string, ref: ObjectRef, object: object): void {
    this.#objects.set(keyOf(server, ref), { object, isNew: true });
  }

  async send(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    const { method, ref, server } = request;
    if (ref === undefined) return this.#send(request, signal);
    const key = keyOf(server, ref);
    const remembered = this.#objects.get(key);
    const known = remembered && answerFrom(remembered, request);
    if (known !== undefined) {
      if (method === 'PATCH') this.#objects.set(key, { object: known.body as object, isNew: true });
      return known;
    }
    const answer = await this.#send(request, signal);
    if (method === 'DELETE') this.#objects.delete(key);
    else if (method !== 'GET' && answer.status < 300 && typeof answer.body === 'object' && answer.body !== null)
      this.#objects.set(key, { object: answer.body, isNew: method === 'POST' });
    return answer;
  }
}

function keyOf(server: string, ref: ObjectRef): string {
  const [resource = ''] = ref.resource.split('/'); // without `/status`
  return `${server} ${objectPath({ ...ref, resource })}`;
}

/** Undefined if only the server can answer. */
function answerFrom({ object, isNew }: Remembered, { method, body }: ApiRequest): ApiAnswer | undefined {
  const answer = { body: object, clockSkewMs: undefined };
  if (method === 'GET') return { ...answer, status: 200 };
  if (method === 'POST') return { ...answer, status: 409 };
  if (method !== 'PATCH' || !isNew) return undefined;
  const dryRun = { unchecked: 'the object does not exist yet' };
  return { ...answer, status: 200, body: { ...object, ...body }, dryRun };
}
