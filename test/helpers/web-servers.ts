/** Real servers of the web for tests, with a CA of their own. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, onTestFinished, vi } from 'vitest';
import { createCa, issueKeyPair } from '../../plugins/sandbox/certificates.ts';

export const NOW = new Date();
export const ca = createCa(NOW);
export const other = createCa(NOW);
export const certificate = (from = ca, names = ['127.0.0.1', 'localhost', 'files.example']) =>
  issueKeyPair(from, NOW, { commonName: 'files', organizations: [] }, 'server', names);
export const NEVER = new AbortController().signal;
export const DOCUMENT = 'kind: Config\n';

/** Before each test: no proxy, and only the CA of these servers is trusted. Returns the folder of the certificate. */
export function trustOnlyOurCa(): () => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'joinery-web-'));
    writeFileSync(join(folder, 'ca.crt'), ca.cert);
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'ALL_PROXY', 'HTTP_PROXY'])
      vi.stubEnv(name, '');
    vi.stubEnv('SSL_CERT_FILE', join(folder, 'ca.crt'));
    vi.stubEnv('SSL_CERT_DIR', join(folder, 'none'));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  return () => folder;
}

export async function listening(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** An HTTPS server of the web, its address and the requests that it got. */
export async function site(answer: RequestListener, pair = certificate()) {
  const asked: IncomingMessage[] = [];
  const server = createServer(pair, (request, response) => {
    asked.push(request);
    answer(request, response);
  });
  return { url: `https://127.0.0.1:${await listening(server)}/cluster.conf`, asked };
}
export const document: RequestListener = (_, response) => void response.end(DOCUMENT);
export const redirect =
  (location: string, status = 302): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { location }).end();
