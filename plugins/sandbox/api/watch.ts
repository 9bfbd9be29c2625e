/** Watches: changes after a version as lines of JSON, until a time limit. */
import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../objects.ts';
import type { Change, Store } from '../store.ts';
import type { Call } from './call.ts';
import { apiVersionOf } from './resources.ts';
import { readSelector, type Selector } from './selectors.ts';
import { badRequest, StatusError } from './status.ts';
import { toTable, wantsTable } from './table.ts';

export interface Watch {
  store: Store;
  resource: string;
  selects: Selector;
  /** Undefined: start with all existing objects. */
  since: number | undefined;
  timeoutMs: number;
  /** Object of a bookmark, without its version. Undefined if the client did not request bookmarks. */
  bookmark: { apiVersion: string; kind: string } | undefined;
  /** Converts an object to the form that the client requested. */
  present(object: KubeObject): object;
}

const TIMEOUT_MS = 30 * 60_000;
const TIMEOUT_MS_MAX = 86_400_000;
const BOOKMARK_MS = 10_000;
/** A client that does not read is disconnected when this many bytes are pending. */
const UNSENT_BYTES_MAX = 16 << 20;

export function readWatch({ store, resource, resourceType, namespace, request: { url, accept }, now }: Call): Watch {
  const query = url.searchParams;
  const version = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(version)) throw badRequest(`invalid resource version "${version}"`);
  const selected = readSelector(query);
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  return {
    store,
    resource,
    selects: (object) => (namespace === '' || object.metadata.namespace === namespace) && selected(object),
    since: version === '' || version === '0' ? undefined : Number(version),
    timeoutMs: seconds > 0 ? Math.min(seconds * 1000, TIMEOUT_MS_MAX) : TIMEOUT_MS,
    bookmark:
      query.get('allowWatchBookmarks') === 'true'
        ? { apiVersion: apiVersionOf(resourceType), kind: resourceType.kind }
        : undefined,
    present: (object) =>
      wantsTable(accept) ? toTable([object], { resourceVersion: object.metadata.resourceVersion }, now()) : object,
  };
}

export function sendWatch(response: ServerResponse, watch: Watch): void {
  const { store, resource, selects, bookmark, present } = watch;
  const send = (type: string, object: object) => {
    response.write(`${JSON.stringify({ type, object })}\n`);
    if (response.writableLength > UNSENT_BYTES_MAX) response.destroy();
  };
  const sendBookmark = () => {
    const metadata = { resourceVersion: String(store.resourceVersion), creationTimestamp: null };
    if (bookmark !== undefined) send('BOOKMARK', { ...bookmark, metadata });
  };
  const sendChange = (change: Change) => {
    const type = change.resource === resource ? eventType(change, selects) : undefined;
    if (type !== undefined) send(type, present(change.object));
  };

  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.flushHeaders();
  try {
    for (const change of backlog(watch)) sendChange(change);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    send('ERROR', error.status); // after authorization, a watch fails inside its stream
    response.end();
    return;
  }
  const unsubscribe = store.subscribe(sendChange);
  const bookmarks = setInterval(sendBookmark, BOOKMARK_MS);
  const end = setTimeout(() => {
    sendBookmark();
    response.end();
  }, watch.timeoutMs);
  response.once('close', () => {
    unsubscribe();
    clearInterval(bookmarks);
    clearTimeout(end);
  });
}

function backlog({ store, resource, since }: Watch): Change[] {
  if (since !== undefined) return store.changesSince(since);
  return store.list(resource).map((object) => ({ type: 'ADDED', resource, object }));
}

/** With a selector, an object that no longer matches counts as deleted, and one that starts to match as added. */
function eventType({ type, object, previous }: Change, selects: Selector): Change['type'] | undefined {
  const matchedBefore = previous !== undefined && selects(previous);
  const matches = type !== 'DELETED' && selects(object);
  if (matchedBefore && matches) return 'MODIFIED';
  if (matches) return 'ADDED';
  return matchedBefore ? 'DELETED' : undefined;
}
