/** Waiting for one object by list and watch, never by polling. Source of the protocol: Kubernetes API concepts, "Efficient detection of changes". */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiRequest, Wait } from '../host/host.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import type { KubeObject } from '../sdk/ports.ts';
import { collectionPath, isMapping, kubeObject, throwUnlessOk } from './port.ts';
import type { Transport } from './transport.ts';

/** The server ends a watch after this; we begin the next where it ended. */
const WATCH_SECONDS = 240;
const PAUSE_MS_MAX = 2_000;

/** An event as it came; what it may hold is for whoever reads it to check. */
interface WatchEvent {
  type?: unknown;
  object?: unknown;
  /** Set instead, where the server refused the watch. */
  status?: unknown;
}

/** The object, as soon as `done` says so. Survives lost connections, ended watches and 410 Gone; ends with `signal`. */
export async function watchObject(
  transport: Transport,
  { as, ref, done, from }: Extract<Wait, { kind: 'object' }>,
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
  let version = (from as KubeObject | undefined)?.metadata.resourceVersion;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    try {
      if (version === undefined) {
        const listed = await list(transport, request({}), signal);
        if (done(listed.item)) return listed.item;
        version = listed.version;
      }
      const query = {
        watch: 'true',
        resourceVersion: version,
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(WATCH_SECONDS),
      };
      for await (const line of transport.lines(request(query), (WATCH_SECONDS + 30) * 1_000, signal)) {
        const event = parseEvent(line, as.server);
        const status = statusOf(event);
        if (status === 410) {
          version = undefined; // too old to go on from: list anew
          break;
        }
        throwUnlessOk({ status, body: event.object, clockSkewMs: undefined }, as.server, `watch ${ref.resource}`);
        const object = kubeObject(event.object, as.server);
        version = versionOf(object) ?? version;
        pauseMs = 50;
        if (event.type !== 'BOOKMARK' && done(event.type === 'DELETED' ? undefined : object)) return object;
      }
    } catch (error) {
      if (signal.aborted || !(isJoinError(error) && error.transient && error.code.startsWith('E_API_'))) throw error;
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

async function list(transport: Transport, request: ApiRequest, signal: AbortSignal) {
  const answer = await transport.send(request, signal);
  throwUnlessOk(answer, request.server, `list ${request.ref?.resource}`);
  const body = kubeObject<KubeObject & { items?: unknown }>(answer.body, request.server);
  const version = versionOf(body);
  if (version === undefined)
    throw fail('E_API_ANSWER', { server: request.server, what: 'a list without a resourceVersion' });
  const first: unknown = Array.isArray(body.items) ? body.items[0] : undefined;
  return { version, item: first === undefined ? undefined : kubeObject(first, request.server) };
}

/** What the server said of the watch, as a status of HTTP. */
function statusOf({ type, object, status }: WatchEvent): number {
  if (type !== 'ERROR') return typeof status === 'number' ? status : 200;
  return isMapping(object) && typeof object.code === 'number' && object.code >= 400 ? object.code : 500;
}

const versionOf = ({ metadata }: KubeObject): string | undefined =>
  typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : undefined;

function parseEvent(line: string, server: string): WatchEvent {
  try {
    const event: unknown = JSON.parse(line);
    if (isMapping(event)) return event;
  } catch {} // as what is no event at all
  throw fail('E_API_ANSWER', { server, what: 'a watch event that is no JSON object' });
}
