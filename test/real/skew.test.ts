/**
 * A server with only v1beta1 of certificates.k8s.io, as up to 1.18: a real 1.20 server behind a proxy that rejects v1.
 */
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from './command.ts';
import { type Cluster, cleanUp, missing, projectRoot, startCluster } from './rig.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();

describe.skipIf(reason)(`a CSR in v1beta1 on a real cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let ca: string;
  const asked: string[] = [];
  const old = { close: () => undefined as unknown, endpoint: '' };

  beforeAll(async () => {
    cluster = await startCluster();
    const pki = join(dirname(cluster.adminKubeconfig), 'pki');
    ca = join(pki, 'ca.crt');
    const pair = { cert: readFileSync(join(pki, 'apiserver.crt')), key: readFileSync(join(pki, 'apiserver.key')) };
    const door = createServer(pair, (incoming, outgoing) => {
      const { method, url = '', headers } = incoming;
      asked.push(`${method} ${url.replace(/\?.*/, '')}`);
      if (url.startsWith('/apis/certificates.k8s.io/v1/'))
        return void outgoing.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      const onward = request(`https://${cluster.server}${url}`, { method, headers, ca: readFileSync(ca) }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      outgoing.on('close', () => onward.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((listening) => door.listen(0, '127.0.0.1', listening));
    old.endpoint = `https://127.0.0.1:${(door.address() as AddressInfo).port}`;
    old.close = () => door.close() && door.closeAllConnections();
  });
  afterAll(async () => {
    old.close();
    await cleanUp();
  });

  test('a v1beta1 CSR without a signer is approved and signed, and a watch reports it', async () => {
    const root = dirname(cluster.adminKubeconfig);
    const args = [
      '--server',
      old.endpoint,
      '--ca',
      `@${ca}`,
      '--token',
      cluster.token,
      '--node-name',
      'w14',
      '--root',
      root,
    ];
    const { code, stdout, stderr } = await launch([command, 'phase', 'tls-bootstrap', ...args]).done;
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/certificate = \(\d+ lines\)/);
    expect(asked.filter((line) => line.includes('certificates.k8s.io'))).toEqual([
      'POST /apis/certificates.k8s.io/v1/certificatesigningrequests',
      'POST /apis/certificates.k8s.io/v1beta1/certificatesigningrequests',
      'GET /apis/certificates.k8s.io/v1beta1/certificatesigningrequests',
    ]);
    const signers = '{range .items[*]}{.spec.signerName} {.status.conditions[*].type}{end}';
    expect(await cluster.kubectl(['get', 'csr', '-o', `jsonpath=${signers}`])).toBe(
      'kubernetes.io/kube-apiserver-client-kubelet Approved',
    );
  });
});
