/** A machine and a cluster for tests of the TLS bootstrap. */

import { csrName, generateKeyPem, publicKeyDer } from '../../engine/pki/index.ts';
import type { MemoryHost } from '../../engine/testing/memory-host.ts';
import tlsBootstrap from '../../phases/tls-bootstrap/index.ts';
import { authority, type FakeCluster, NOW, SERVER, TOKEN } from './cluster.ts';
import { runPhase } from './contract.ts';

export const ca = authority();
export const key = generateKeyPem();
export const subject = { commonName: 'system:node:w1', organizations: ['system:nodes'] };
export const USAGES = ['digital signature', 'key encipherment', 'client auth'];
export const NAME = csrName(publicKeyDer(key), subject, USAGES);
export const once = { 'client-key': key };
export const input = { identity: { server: SERVER, ca: ca.pem, token: TOKEN }, nodeName: 'w1' };
export const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

/** The key is made beforehand, so that the name of the request is known. */
export const machineIn = (cluster: FakeCluster, files: Record<string, string> = {}) => ({
  now: () => NOW,
  files,
  send: cluster.send,
  wait: cluster.wait,
});
export const bootstrap = (host: MemoryHost, values: Record<string, unknown> = input) =>
  runPhase(tlsBootstrap, values, host, { once });
export const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
export const leaving = { ...input, tlsBootstrapMode: 'kubelet' };
