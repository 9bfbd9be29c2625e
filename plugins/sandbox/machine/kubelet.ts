/**
 * A stand-in kubelet: it reads the machine's files like the real one, serves its health check and registers its Node.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from './kubelet-api.ts';
import { bootstrap } from './kubelet-bootstrap.ts';
import { type KubeletFiles, readKubeletFiles } from './kubelet-files.ts';
import type { KubeletIdentity } from './kubelet-identity.ts';
import { ALLOCATABLE, nodeOf, readyCondition } from './kubelet-node.ts';
import { machinePath } from './machine-path.ts';
import type { StaticPods } from './static-pods.ts';

/** The real kubelet takes seconds. This is long enough for a watch to see the Node as NotReady. */
const READY_AFTER_MS = 100;
const NODES = '/api/v1/nodes';
const PURPOSE = 'register node with API server';

export interface Kubelet {
  nodeName: string;
  close(): Promise<void>;
}

export interface KubeletOptions {
  root: string;
  /** The machine's clock. */
  now?: () => Date;
  /** Stops it before its Node is Ready. */
  signal?: AbortSignal;
  /** Takes the lines of its log. */
  log?: (line: string) => void;
}

/** Resolves when its Node is Ready. Throws an Error with the kubelet's message if it cannot start or register. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { root, now = () => new Date(), signal } = options;
  const files = await readKubeletFiles(root);
  const closing = new AbortController();
  signal?.addEventListener('abort', () => closing.abort(), { signal: closing.signal });
  const healthz = await serveHealthz(files);
  const close = async (): Promise<void> => {
    closing.abort();
    await shut(healthz);
  };
  try {
    const { identity } = files;
    const pods = await followManifests(options, files, closing.signal);
    // Like the real kubelet, it is healthy before it has a certificate.
    const own = 'bootstrap' in identity ? await bootstrap(root, identity.bootstrap, files, closing.signal) : identity;
    await register(files, own, now, closing.signal);
    await pods?.registered(own);
  } catch (error) {
    await close();
    throw error;
  }
  return { nodeName: files.nodeName, close };
}

/** The Pods of a control plane run before the Node is registered. A worker does not have the directory. */
async function followManifests(
  { root, log = () => undefined }: KubeletOptions,
  { staticPodPath, nodeName }: KubeletFiles,
  signal: AbortSignal,
): Promise<StaticPods | undefined> {
  if (staticPodPath === '' || !existsSync(await machinePath(root, staticPodPath))) return undefined;
  const { StaticPods } = await import('./static-pods.ts');
  const pods = new StaticPods({ root, path: staticPodPath, nodeName, log }, signal);
  void pods.follow();
  return pods;
}

async function register(
  files: KubeletFiles,
  identity: KubeletIdentity,
  now: () => Date,
  signal: AbortSignal,
): Promise<void> {
  const { nodeName } = files;
  const node = nodeOf(files, now());
  // On 409 the Node exists already: it stays as it is, and only its status is updated.
  await callApi(
    identity,
    { method: 'POST', path: NODES, contentType: 'application/json', body: node },
    PURPOSE,
    signal,
  );
  await sleep(READY_AFTER_MS, undefined, { signal });
  const ready = { ...(node.status as object), allocatable: ALLOCATABLE, conditions: [readyCondition('True', now())] };
  await callApi(
    identity,
    {
      method: 'PATCH',
      path: `${NODES}/${nodeName}/status`,
      contentType: 'application/strategic-merge-patch+json',
      body: { status: ready },
    },
    PURPOSE,
    signal,
  );
}

async function serveHealthz({ healthz: { address, port } }: KubeletFiles): Promise<Server | undefined> {
  if (port === 0) return undefined; // turned off
  const server = createServer((request, response) => {
    const healthy = request.url === '/healthz';
    response.writeHead(healthy ? 200 : 404, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(healthy ? 'ok' : '404 page not found\n');
  });
  server.listen(port, address);
  await once(server, 'listening'); // rejects when the port is taken
  return server;
}

async function shut(server: Server | undefined): Promise<void> {
  if (server?.listening !== true) return;
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
