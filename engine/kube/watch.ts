/**
 * Waits for one object by list and watch, without polling. Source of the protocol: Kubernetes API concepts, "Efficient
 * detection of changes".
 */

import { sleep } from '../limits/timers.ts';
import { type ApiRequest, collectionPath, type ObjectWait } from '../sdk/api.ts';
import { fail, isJoinError, withWitness } from '../sdk/errors.ts';
import type { KubeObject } from '../sdk/ports.ts';
import { isObject, requireOk } from './answer.ts';
import type { Transport } from './request.ts';

/** The server ends a watch after this time. The next one begins where it ended. */
const WATCH_SECONDS = 240;
const PAUSE_MS_MAX = 2_000;
const KNOWN = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'];

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: KubeObject;
}

/**
 * The object, as soon as `done` accepts it. Survives lost connections, ended watches and 410 Gone; ends with `signal`.
 */
export async function watchObject(
  transport: Transport,
  { as, ref, done, from }: ObjectWait,
  signal: AbortSignal,
): Promise<unknown> {
  if (from !== undefined && done(from)) return from;
  const request = (query: Record<string, string>): ApiRequest => ({
    server: as.server,
    as,
    method: 'GET',
    ref,
    path: collectionPath(ref),
    query: { fieldSelector: `metadata.name=${ref.name}`, ...query },
    body: undefined,
  });
  let last = ''; // what a transient failure said, until a request succeeds
  let version = (from as KubeObject | undefined)?.metadata.resourceVersion;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    try {
      if (version === undefined) {
        const listed = await list(transport, request({}), signal);
        last = '';
        if (done(listed.item)) return listed.item;
        version = listed.version;
      }
      const query = {
        watch: 'true',
        resourceVersion: version,
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(WATCH_SECONDS),
      };
      const lines = await transport.lines(request(query), (WATCH_SECONDS + 30) * 1_000, signal);
      last = '';
      for await (const line of lines) {
        const { type, object } = parseEvent(line, as.server, `watch ${ref.resource}`);
        version = object.metadata.resourceVersion ?? version;
        pauseMs = 50;
        if (type === 'BOOKMARK' || object.metadata.name !== ref.name) continue;
        if (done(type === 'DELETED' ? undefined : object)) return object;
      }
    } catch (error) {
      if (signal.aborted) throw withWitness(error, last);
      if (!isJoinError(error) || !error.code.startsWith('E_API_')) throw error;
      if ((error.facts as { status?: number }).status === 410)
        version = undefined; // the version is too old to resume from: list again
      else if (!error.transient) throw error;
      last = error.message;
      pauseMs = Math.max(pauseMs, error.retryAfterMs ?? 0);
    }
    await sleep(pauseMs, signal).catch(() => undefined);
    if (signal.aborted) throw withWitness(signal.reason, last);
  }
}

async function list(transport: Transport, request: ApiRequest, signal: AbortSignal) {
  const answer = await transport.send(request, signal);
  requireOk(answer, request.server, `list ${request.ref?.resource}`);
  const { metadata, items } = (answer.body ?? {}) as {
    metadata?: { resourceVersion?: unknown } | null;
    items?: unknown;
  };
  const version = metadata?.resourceVersion;
  if (typeof version !== 'string' || !Array.isArray(items ?? []))
    throw fail('E_API_ANSWER', { server: request.server, what: 'not a list with a resourceVersion' });
  const item = ((items ?? []) as unknown[])
    .filter(isObject)
    .find(({ metadata: { name } }) => name === request.ref?.name);
  return { version, item };
}

/** The object of a watch event. Throws the error of an error event, like a request with the same answer. */
function parseEvent(line: string, server: string, what: string): WatchEvent {
  let event: { type?: unknown; object?: unknown } | null;
  try {
    event = JSON.parse(line);
  } catch {
    throw fail('E_API_ANSWER', { server, what: 'a watch event that is not JSON' });
  }
  const { type, object } = event ?? {};
  if (type === 'ERROR') {
    const code = (object as { code?: unknown } | null)?.code;
    const status = typeof code === 'number' && code >= 400 ? code : 500;
    requireOk({ status, body: object, clockSkewMs: undefined }, server, what);
  }
  if (!isObject(object) || !KNOWN.includes(type as string))
    throw fail('E_API_ANSWER', { server, what: 'a watch event without an object' });
  return { type: type as WatchEvent['type'], object };
}
