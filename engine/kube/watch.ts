/** Waiting for one object by list and watch, never by polling. Source of the protocol: Kubernetes API concepts, "Efficient detection of changes". */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiRequest, Wait } from '../host/host.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import type { KubeObject } from '../sdk/ports.ts';
import { collectionPath, throwUnlessOk } from './port.ts';
import type { Transport } from './transport.ts';

/** The server ends a watch after this; we begin the next where it ended. */
const WATCH_SECONDS = 240;
const PAUSE_MS_MAX = 2_000;

interface WatchEvent {
  type?: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object?: KubeObject & { code?: number };
  /** Set instead, where the server refused the watch. */
  status?: number;
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
        if (event.status === 410 || (event.type === 'ERROR' && event.object?.code === 410)) {
          version = undefined; // too old to go on from: list anew
          break;
        }
        const status = event.status ?? (event.type === 'ERROR' ? (event.object?.code ?? 500) : 200);
        throwUnlessOk({ status, body: event.object, clockSkewMs: undefined }, as.server, `watch ${ref.resource}`);
        version = event.object?.metadata.resourceVersion ?? version;
        pauseMs = 50;
        if (event.type !== 'BOOKMARK' && done(event.type === 'DELETED' ? undefined : event.object)) return event.object;
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
  const body = answer.body as { metadata?: { resourceVersion?: string }; items?: KubeObject[] };
  const version = body.metadata?.resourceVersion;
  if (version === undefined)
    throw fail('E_API_ANSWER', { server: request.server, what: 'a list without a resourceVersion' });
  return { version, item: body.items?.[0] };
}

function parseEvent(line: string, server: string): WatchEvent {
  try {
    return JSON.parse(line) as WatchEvent;
  } catch {
    throw fail('E_API_ANSWER', { server, what: 'a watch event that is no JSON' });
  }
}
