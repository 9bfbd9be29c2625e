/** kubeadm's tables of discovery, with a token and with a file. */
import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { caCertificates } from '../../engine/tokens/ca-hash.ts';
import { credentialsOf } from '../../phases/discovery-file/credentials.ts';
import { readDiscovery } from '../../phases/discovery-file/file.ts';
import discoveryToken from '../../phases/discovery-token/index.ts';
import { authority, issue } from '../helpers/cluster.ts';
import { runPhase } from '../helpers/contract.ts';
import { casesOf, expectKubeadms, verdictOf } from './table.ts';

const ca = authority();
const client = issue(ca);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface ClusterInfo {
  token: string;
  pin?: string;
  /** The first request that finds the signature. */
  signedAt?: number;
  absent?: boolean;
  kubeconfig?: string;
  clusters?: string[];
  contextCluster?: string;
  signature?: string;
}

function kubeconfigOf({ clusters = ['somecluster'], contextCluster = 'somecluster' }: ClusterInfo): string {
  const clusterOf = (name: string) => ({
    name,
    cluster: {
      server: name === 'other' ? 'https://other:1' : 'https://127.0.0.1',
      'certificate-authority-data': base64(ca.pem),
    },
  });
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: clusters.map(clusterOf),
    contexts: [{ name: 'c', context: { cluster: contextCluster, user: 'u' } }],
    'current-context': clusters.includes('') ? '' : 'c',
    users: null,
  });
}

function signatureOf(kubeconfig: string, id: string, secret: string): string {
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
  const signed = `${head}.${Buffer.from(kubeconfig).toString('base64url')}`;
  return `${head}..${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

describe('discovery with a token', () => {
  test.each(casesOf<ClusterInfo>('discovery-token'))(
    'discovery with a token gives the result of kubeadm: $id',
    async ({ want, ...info }) => {
      const { token, pin, absent = false, signedAt = 1 } = info;
      const [id = '', secret = ''] = token.split('.');
      const { kubeconfig = kubeconfigOf(info) } = info;
      const { signature = signatureOf(kubeconfig, id, secret) } = info;
      let requests = 0;
      const send = () => {
        const signed = ++requests >= signedAt && signature !== '' ? { [`jws-kubeconfig-${id}`]: signature } : {};
        const data = { kubeconfig, ...signed };
        const body = absent ? { kind: 'Status' } : { kind: 'ConfigMap', metadata: {}, data };
        return { status: absent ? 404 : 200, body, clockSkewMs: undefined };
      };
      const own = caCertificates(ca.pem)[0]?.pin;
      const trust =
        pin === undefined
          ? { discoveryTokenUnsafeSkipCaVerification: true }
          : { discoveryTokenCaCertHash: [pin === 'own' ? own : pin] };
      const discover = async () => {
        const { error } = await runPhase(
          discoveryToken,
          { endpoint: '127.0.0.1:6443', token, ...trust },
          memoryHost({ send }),
        );
        if (error !== undefined) throw error;
      };
      let got = await verdictOf(discover);
      // The pipeline retries the step.
      if (got === 'no' && signedAt > 1) got = await verdictOf(discover);
      expect(got).toBe(want);
    },
  );
});

describe('discovery with a file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'discovery-'));
    const contents = { 'ca.crt': ca.pem, 'client.crt': client.pem, 'client.key': client.keyPem, token: 'filetoken\n' };
    for (const [name, content] of Object.entries(contents)) await writeFile(join(folder, name), content);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const ports = {
    files: {
      read: (path: string) => readFile(path).catch(() => undefined),
      stat: async () => ({ kind: 'file', mode: 0o600, uid: 0 }),
    },
    commands: {
      find: async (program: string) => program,
      query: async ([program = '', ...args]: string[]) => {
        const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
        return { exitCode: status, stdout, stderr };
      },
    },
  } as unknown as Parameters<typeof credentialsOf>[2];

  interface File {
    text: string;
    user?: boolean;
    server?: string;
  }
  test.each(casesOf<File>('discovery-files'))(
    'discovery with a file gives the result of kubeadm: $id',
    async ({ text, user = false, server, ...expected }) => {
      const filled = text
        .replaceAll('%F%', folder)
        .replaceAll('%CA%', base64(ca.pem))
        .replaceAll('%CRT%', base64(client.pem))
        .replaceAll('%KEY%', base64(client.keyPem));
      const origin = { name: join(folder, 'd.conf'), text: filled, local: true, writableByRootOnly: true };
      const result = async () => {
        const found = await readDiscovery(origin, ports.files);
        if (server !== undefined) expect(found.server).toBe(server);
        if (!user) return 'ok';
        const credentials = await credentialsOf(found.user, origin, ports);
        if (credentials === undefined) return 'none';
        const { clientCertificate, token } = credentials as { clientCertificate?: unknown; token?: unknown };
        return [clientCertificate && 'certificate', token && 'token'].filter(Boolean).join('+');
      };
      expectKubeadms(expected, await result().catch(() => 'no'));
    },
  );
});
