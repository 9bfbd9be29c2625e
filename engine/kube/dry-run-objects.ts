/** The objects that a dry run would have changed. The server has checked each change and stored none. */
import { type ApiAnswer, type ApiClient, type ApiRequest, objectPath } from '../sdk/api.ts';

type Send = ApiClient['send'];
/** `isNew`: the server has no such object yet. */
type Remembered = { object: object; isNew: boolean };

/**
 * A created name is taken from then on, and a changed object is read with its changes. The server answers all other
 * reads.
 */
export function remembering(send: Send): Send {
  const objects = new Map<string, Remembered>();
  return async (request, signal) => {
    const { method, ref } = request;
    if (ref === undefined) return send(request, signal);
    const [resource = ''] = ref.resource.split('/'); // without `/status`
    const key = `${request.server} ${objectPath({ ...ref, resource })}`;
    const remembered = objects.get(key);
    const known = remembered && answerFrom(remembered, request);
    if (known !== undefined) {
      if (method === 'PATCH') objects.set(key, { object: known.body as object, isNew: true });
      return known;
    }
    const answer = await send(request, signal);
    if (method === 'DELETE') objects.delete(key);
    else if (method !== 'GET' && answer.status < 300 && typeof answer.body === 'object' && answer.body !== null)
      objects.set(key, { object: answer.body, isNew: method === 'POST' });
    return answer;
  };
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
