import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { isSignedBy, readCertificates } from '../../../engine/pki/index.ts';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { admin, ask, CLUSTER_INFO } from './client.ts';

const SECRETS = '/api/v1/namespaces/kube-system/secrets';
const TYPE = 'bootstrap.kubernetes.io/token';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ token: 'abcdef.0123456789abcdef' });
});
afterAll(() => sandbox.close());

const clusterInfo = async () => (await ask(sandbox, CLUSTER_INFO)).json.data ?? {};

function makeToken(id: string, changes: Record<string, string> = {}) {
  const stringData = {
    'token-id': id,
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-signing': 'true',
    'usage-bootstrap-authentication': 'true',
    ...changes,
  };
  const body = { metadata: { name: `bootstrap-token-${id}` }, type: TYPE, stringData };
  return ask(sandbox, SECRETS, { method: 'POST', identity: admin(sandbox), body });
}

describe('cluster-info', () => {
  test('cluster-info names the endpoint and the CA, in the bytes that Go writes', async () => {
    const { kubeconfig = '' } = await clusterInfo();
    const ca = Buffer.from(sandbox.caPem).toString('base64');
    expect(kubeconfig).toBe(
      `apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: ${ca}\n    server: https://${sandbox.endpoint}\n  name: ""\ncontexts: null\ncurrent-context: ""\nkind: Config\npreferences: {}\nusers: null\n`,
    );
  });
  test('cluster-info is signed by the token', async () => {
    const { kubeconfig = '', 'jws-kubeconfig-abcdef': jws = '' } = await clusterInfo();
    expect(isSignedBy(jws, kubeconfig, 'abcdef', '0123456789abcdef')).toBe(true);
  });
  test('cluster-info is signed again when it changes', async () => {
    const stored = sandbox.store.get('configmaps', 'cluster-info', 'kube-public');
    const data = stored?.data as Record<string, string>;
    const kubeconfig = `${data.kubeconfig}# changed\n`;
    sandbox.store.update('configmaps', { ...stored, data: { ...data, kubeconfig } });
    await vi.waitFor(async () => {
      const { 'jws-kubeconfig-abcdef': jws = '' } = await clusterInfo();
      expect(isSignedBy(jws, kubeconfig, 'abcdef', '0123456789abcdef')).toBe(true);
    });
  });
  test('cluster-info is signed by a new token, until that token is deleted', async () => {
    expect((await makeToken('second')).code).toBe(201);
    await vi.waitFor(async () => expect(await clusterInfo()).toHaveProperty('jws-kubeconfig-second'));
    await ask(sandbox, `${SECRETS}/bootstrap-token-second`, { method: 'DELETE', identity: admin(sandbox) });
    await vi.waitFor(async () => expect(await clusterInfo()).not.toHaveProperty('jws-kubeconfig-second'));
  });
  test('cluster-info is not signed by a token that is not for signing', async () => {
    await makeToken('silent', { 'usage-bootstrap-signing': 'no' });
    await makeToken('loud00');
    await vi.waitFor(async () => expect(await clusterInfo()).toHaveProperty('jws-kubeconfig-loud00'));
    expect(await clusterInfo()).not.toHaveProperty('jws-kubeconfig-silent');
  });
  test('cluster-info loses the signature of an expired token, and the token is deleted', async () => {
    const expiration = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000).toISOString().replace('.000', '');
    await makeToken('expire', { expiration });
    await vi.waitFor(async () => expect(await clusterInfo()).toHaveProperty('jws-kubeconfig-expire'));
    await vi.waitFor(async () => expect(await clusterInfo()).not.toHaveProperty('jws-kubeconfig-expire'), 4000);
    expect(sandbox.store.get('secrets', 'bootstrap-token-expire', 'kube-system')).toBeUndefined();
    expect((await ask(sandbox, '/api', { token: 'expire.0123456789abcdef' })).code).toBe(401);
  });
  test('cluster-info is never signed by a token with an unreadable expiration', async () => {
    await makeToken('odd000', { expiration: 'tomorrow' });
    await vi.waitFor(() =>
      expect(sandbox.store.get('secrets', 'bootstrap-token-odd000', 'kube-system')).toBeUndefined(),
    );
    expect(await clusterInfo()).not.toHaveProperty('jws-kubeconfig-odd000');
  });
});

describe('a sandbox', () => {
  test('a sandbox pins its CA as kubeadm does', () => {
    expect(sandbox.caPin).toBe(readCertificates(sandbox.caPem)[0]?.pin);
  });
  test('a sandbox has the ConfigMaps of its profile, with the healthz port of kubelets', async () => {
    const newer = await startSandbox({ profile: '1.24', kubeletPorts: { healthz: 12345 } });
    const data = newer.store.get('configmaps', 'kubelet-config', 'kube-system')?.data as { kubelet: string };
    expect(parse(data.kubelet)).toMatchObject({
      kind: 'KubeletConfiguration',
      healthzPort: 12345,
      rotateCertificates: true,
    });
    expect((await ask(newer, '/version')).json).toMatchObject({ gitVersion: 'v1.24.17' });
    await newer.close();
  });
  test('a sandbox creates a valid token of its own', async () => {
    const other = await startSandbox();
    expect(other.token).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    expect((await ask(other, '/api', { token: other.token })).code).toBe(200);
    await other.close();
  });
  test('a sandbox follows its configured clock', async () => {
    let aheadMs = 3_600_000;
    const other = await startSandbox({ now: () => new Date(Date.now() + aheadMs) });
    const { code, headers } = await ask(other, '/api', { token: other.token });
    expect(code).toBe(200);
    expect(Date.parse(headers.date ?? '') - Date.now()).toBeGreaterThan(3_590_000);
    aheadMs += 24 * 3_600_000;
    expect((await ask(other, '/api', { token: other.token })).code).toBe(401);
    await other.close();
  });
  test('a sandbox can be closed twice, and does not answer afterwards', async () => {
    const other = await startSandbox();
    await Promise.all([other.close(), other.close()]);
    await other.close();
    await expect(ask(other, '/version')).rejects.toThrow('ECONNREFUSED');
  });
});
