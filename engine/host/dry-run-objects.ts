/** What the objects of a cluster would be like after a dry run's changes: the server has checked each, and stored none. */
import { objectPath } from '../kube/port.ts';
import type { ApiAnswer, ApiRequest } from './host.ts';

type Send = (request: ApiRequest, signal: AbortSignal) => Promise<ApiAnswer>;

/** A name that is made is taken from then on, and what was changed is read as it was changed; all else is the server's to answer. */
export function remembering(send: Send): Send {
  const made = new Map<string, { object: object; isNew: boolean }>();
  return async (request, signal) => {
    const { method, ref, body } = request;
    if (ref === undefined) return send(request, signal);
    const [resource = ''] = ref.resource.split('/'); // without `/status`
    const key = `${request.server} ${objectPath({ ...ref, resource })}`;
    const there = made.get(key);
    if (there !== undefined) {
      const answer = { body: there.object, clockSkewMs: undefined };
      if (method === 'GET') return { ...answer, status: 200 };
      if (method === 'POST') return { ...answer, status: 409 };
      if (method === 'PATCH' && there.isNew) {
        const object = { ...there.object, ...body };
        made.set(key, { object, isNew: true });
        return { ...answer, status: 200, body: object, dryRun: { unchecked: 'the object does not exist yet' } };
      }
    }
    const answer = await send(request, signal);
    if (method === 'DELETE') made.delete(key);
    else if (method !== 'GET' && answer.status < 300 && typeof answer.body === 'object' && answer.body !== null)
      made.set(key, { object: answer.body, isNew: method === 'POST' });
    return answer;
  };
}
