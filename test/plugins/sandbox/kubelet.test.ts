import { readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { generateKeyPem } from '../../../engine/pki/index.ts';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { startKubelet } from '../../../plugins/sandbox/machine/kubelet.ts';
import type { CertificateSigningRequest, Node } from '../../../plugins/sandbox/objects.ts';
import { clientOf } from './client.ts';
import { emptyMachine, kubeletConf, lay, layJoin } from './joined.ts';

const CONFIG = '/var/lib/kubelet/config.yaml';
const FLAGS = '/var/lib/kubelet/kubeadm-flags.env';
const PEM = '/var/lib/kubelet/pki/kubelet-client-2026-01-02-03-04-05.pem';
const ENDPOINT = '--container-runtime-endpoint=unix:///run/containerd/containerd.sock';

let sandbox: Sandbox;
let stranger: Sandbox;
let root: string;
beforeAll(async () => {
  [sandbox, stranger, root] = await Promise.all([startSandbox(), startSandbox(), emptyMachine('W1')]);
});
afterAll(async () => {
  await Promise.all([sandbox.close(), stranger.close()]);
  await rm(root, { recursive: true });
});
beforeEach(() => layJoin(sandbox, root, 'W1'));

const node = (name: string): Node | undefined => sandbox.store.get<Node>('nodes', name);

describe('the simulated kubelet', () => {
  test('the simulated kubelet reports that it is healthy, and registers a Node that becomes Ready', async () => {
    const seen: unknown[] = [];
    const stop = sandbox.store.subscribe(({ object }) => seen.push((object as Node).status?.conditions?.[0]?.status));
    const kubelet = await startKubelet({ root });
    stop();
    expect(seen).toEqual(['False', 'True']);
    expect(node('w1')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/hostname': 'w1', 'kubernetes.io/os': 'linux' } },
      status: { nodeInfo: { kubeletVersion: 'v1.36.2' }, conditions: [{ type: 'Ready', status: 'True' }] },
    });
    const port = /healthzPort: (\d+)/.exec(await readFile(join(root, CONFIG), 'utf8'))?.[1];
    const healthz = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(await healthz.text()).toBe('ok');
    await kubelet.close();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });
  test('the simulated kubelet obeys the flags for its name and taints', async () => {
    const { cert, key } = clientOf(sandbox, 'system:node:other', ['system:nodes']);
    await lay(root, PEM, cert + key);
    await lay(
      root,
      FLAGS,
      `KUBELET_KUBEADM_ARGS="${ENDPOINT} --hostname-override=other --register-with-taints=a=b:NoSchedule,c:NoExecute"\n`,
    );
    const kubelet = await startKubelet({ root });
    expect(kubelet.nodeName).toBe('other');
    expect(node('other')?.spec?.taints).toEqual([
      { key: 'a', value: 'b', effect: 'NoSchedule' },
      { key: 'c', effect: 'NoExecute' },
    ]);
    await kubelet.close();
  });
  test('a restarted kubelet finds its Node and makes it Ready', async () => {
    await (await startKubelet({ root })).close();
    const { uid } = node('w1')?.metadata ?? {};
    await (await startKubelet({ root })).close();
    expect(node('w1')?.metadata.uid).toBe(uid);
  });
  test('the simulated kubelet waits for a busy API server', async () => {
    sandbox.faults.add({ effect: 'unavailable', method: 'POST' });
    sandbox.faults.add({ effect: 'reset', method: 'POST' });
    await (await startKubelet({ root })).close();
    expect(node('w1')?.status?.conditions?.[0]?.status).toBe('True');
  });
});

describe('the simulated kubelet without a certificate', () => {
  const BOOTSTRAP = '/etc/kubernetes/bootstrap-kubelet.conf';
  const CURRENT = join('/var/lib/kubelet/pki', 'kubelet-client-current.pem');
  const lines = (user: string) => `apiVersion: v1
kind: Config
clusters:
- name: kubernetes
  cluster:
    certificate-authority-data: ${Buffer.from(sandbox.caPem).toString('base64')}
    server: 'https://${sandbox.endpoint}'
contexts:
- name: c
  context: {cluster: kubernetes, user: u}
current-context: c
users:
- name: u
  user: ${user}
`;
  const csrs = () => sandbox.store.list<CertificateSigningRequest>('certificatesigningrequests');
  beforeEach(async () => {
    for (const path of ['/etc/kubernetes/kubelet.conf', CURRENT, PEM]) await rm(join(root, path));
    for (const { metadata } of csrs()) sandbox.store.delete('certificatesigningrequests', metadata.name);
    await lay(root, BOOTSTRAP, lines(`{token: ${sandbox.token}}`));
  });
  afterEach(() => rm(join(root, BOOTSTRAP), { force: true }));

  test('without a certificate, the simulated kubelet requests one with its bootstrap token', async () => {
    const kubelet = await startKubelet({ root });
    expect(csrs().map(({ metadata, spec }) => [metadata.name.slice(0, 4), spec.username])).toEqual([
      ['csr-', `system:bootstrap:${sandbox.token.slice(0, 6)}`],
    ]);
    expect(node('w1')?.status?.conditions?.[0]?.status).toBe('True');
    const target = await readlink(join(root, CURRENT));
    expect(target).toMatch(/^\/var\/lib\/kubelet\/pki\/kubelet-client-[\d-]{19}\.pem$/);
    expect(await readFile(join(root, target), 'utf8')).toMatch(
      /^-----BEGIN CERTIFICATE-----[\s\S]*-----BEGIN EC PRIVATE KEY-----/,
    );
    expect(await readFile(join(root, '/etc/kubernetes/kubelet.conf'), 'utf8')).toContain(`client-key: ${CURRENT}`);
    await kubelet.close();
    await rm(join(root, BOOTSTRAP));
    await (await startKubelet({ root })).close();
    expect(csrs()).toHaveLength(1);
  });

  test('the simulated kubelet requests with a certificate if its bootstrap kubeconfig has one', async () => {
    const { cert, key } = clientOf(sandbox, 'joiner', ['system:bootstrappers:kubeadm:default-node-token']);
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    await lay(root, BOOTSTRAP, lines(`{client-certificate-data: ${base64(cert)}, client-key-data: ${base64(key)}}`));
    await (await startKubelet({ root })).close();
    expect(csrs()[0]?.spec.username).toBe('joiner');
  });

  test('a waiting kubelet is healthy, and writes its kubeconfig before its certificate', async () => {
    sandbox.autoApprove = false;
    const starting = startKubelet({ root });
    await expect.poll(csrs).toHaveLength(1);
    const port = /healthzPort: (\d+)/.exec(await readFile(join(root, CONFIG), 'utf8'))?.[1];
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    await expect(readFile(join(root, '/etc/kubernetes/kubelet.conf'), 'utf8')).resolves.toContain(CURRENT);
    await expect(readFile(join(root, CURRENT))).rejects.toThrow();
    sandbox.autoApprove = true;
    await (await starting).close();
  });
});

describe('a simulated kubelet that cannot run', () => {
  const dies = async (words: string) => await expect(startKubelet({ root })).rejects.toThrow(words);
  const remove = (path: string) => rm(join(root, path));

  test('the simulated kubelet exits without the socket of its runtime', async () => {
    const socket = '/run/containerd/containerd.sock';
    await remove(socket);
    await dies(`dial unix ${socket}`);
    await lay(root, socket, '');
  });
  test.each([
    ['its configuration', CONFIG, 'open /var/lib/kubelet/config.yaml: no such file or directory'],
    ['its kubeconfig', '/etc/kubernetes/kubelet.conf', 'unable to load bootstrap kubeconfig'],
    ['its certificate', PEM, 'kubelet-client-current.pem: no such file or directory'],
    ['the client CA', '/etc/kubernetes/pki/ca.crt', 'open /etc/kubernetes/pki/ca.crt'],
    ['the flags that name its runtime', FLAGS, 'the container runtime endpoint address was not specified or empty'],
  ])('the simulated kubelet exits without %s', async (_, path, words) => {
    await remove(path);
    await dies(words);
  });
  test.each([
    ['a configuration of another kind', CONFIG, 'kind: ConfigMap\n', 'failed to decode'],
    ['flags that are not quoted', FLAGS, 'KUBELET_KUBEADM_ARGS=--a=b\n', 'invalid assignment'],
    ['an unknown flag', FLAGS, 'KUBELET_KUBEADM_ARGS="container-runtime"\n', 'unknown command'],
    ['a taint without effect', FLAGS, `KUBELET_KUBEADM_ARGS="${ENDPOINT} --register-with-taints=a"\n`, 'invalid taint'],
    ['an invalid client CA', '/etc/kubernetes/pki/ca.crt', 'nothing\n', 'unable to load client CA file'],
    ['an invalid kubeconfig', '/etc/kubernetes/kubelet.conf', '[]\n', 'error loading config file'],
    ['a kubeconfig without a context', '/etc/kubernetes/kubelet.conf', 'kind: Config\n', 'does not exist'],
    ['an invalid certificate', PEM, 'nothing\n', 'failed to find any PEM data'],
    ['another host name', '/etc/hostname', 'w2\n', 'but this node is w2'],
  ])('the simulated kubelet exits with %s', async (_, path, text, words) => {
    await lay(root, path, text);
    await dies(words);
  });
  test('the simulated kubelet exits if its key does not fit its certificate', async () => {
    const { cert } = clientOf(sandbox, 'system:node:w1', ['system:nodes']);
    await lay(root, PEM, cert + generateKeyPem());
    await dies('private key does not match public key');
  });
  test('the simulated kubelet exits with an expired certificate', async () => {
    const { cert, key } = clientOf(sandbox, 'system:node:w1', ['system:nodes'], {
      notAfter: new Date(Date.now() - 1000),
    });
    await lay(root, PEM, cert + key);
    await dies('expired');
  });
  test('the simulated kubelet exits with an identity of another cluster', async () => {
    const { cert, key } = clientOf(stranger, 'system:node:w1', ['system:nodes']);
    await lay(root, PEM, cert + key);
    await dies('Unauthorized');
  });
  test("the simulated kubelet exits with an identity that is not a node's", async () => {
    const { cert, key } = clientOf(sandbox, 'system:node:w1', ['system:masters']);
    await lay(root, PEM, cert + key);
    await dies('not for system:nodes');
  });
  test('the simulated kubelet exits if the API server is not of the CA in its kubeconfig', async () => {
    await lay(root, '/etc/kubernetes/kubelet.conf', kubeletConf(`https://${sandbox.endpoint}`, stranger.caPem));
    await dies('certificate');
  });
  test('the simulated kubelet exits if its healthz port is in use', async () => {
    const first = await startKubelet({ root });
    await dies('EADDRINUSE');
    await first.close();
  });
});
