import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateKeyPem, issueCertificate, publicKeyDer } from '../../../engine/pki/index.ts';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { admin, ask, CLUSTER_INFO, CSRS, clientOf, csrObject, NODES, nodeClient, nodeObject } from './client.ts';

const SSAR = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const KUBE_SYSTEM = '/api/v1/namespaces/kube-system';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

describe('anonymous access', () => {
  test.each([CLUSTER_INFO, '/version', '/healthz', '/livez', '/readyz'])(
    'an anonymous client may read %s',
    async (path) => {
      expect((await ask(sandbox, path)).code).toBe(200);
    },
  );
  test.each([
    NODES,
    CSRS,
    '/api',
    '/apis/certificates.k8s.io/v1',
    `${KUBE_SYSTEM}/configmaps/kubeadm-config`,
    `${KUBE_SYSTEM}/secrets`,
    '/api/v1/namespaces/kube-public/configmaps',
  ])('an anonymous client may not read %s', async (path) => {
    const { code, json } = await ask(sandbox, path);
    expect({ code, kind: json.kind, reason: json.reason }).toEqual({ code: 403, kind: 'Status', reason: 'Forbidden' });
  });
  test('an anonymous client is refused with the message of Kubernetes', async () => {
    const { json } = await ask(sandbox, `${KUBE_SYSTEM}/configmaps/kubeadm-config`);
    expect(json).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'configmaps "kubeadm-config" is forbidden: User "system:anonymous" cannot get resource "configmaps" in API group "" in the namespace "kube-system"',
      reason: 'Forbidden',
      details: { name: 'kubeadm-config', kind: 'configmaps' },
      code: 403,
    });
  });
  test('an anonymous client may not read cluster-info after the role binding is deleted', async () => {
    const closed = await startSandbox();
    closed.store.delete('rolebindings', 'kubeadm:bootstrap-signer-clusterinfo', 'kube-public');
    expect((await ask(closed, CLUSTER_INFO)).code).toBe(403);
    await closed.close();
  });
});

describe('a bootstrap token', () => {
  const asToken = (path: string, how = {}) => ask(sandbox, path, { token: sandbox.token, ...how });

  test.each([
    `${KUBE_SYSTEM}/configmaps/kubeadm-config`,
    `${KUBE_SYSTEM}/configmaps/kubelet-config`,
    CSRS,
    '/apis/certificates.k8s.io',
  ])('a bootstrap token may read %s', async (path) => {
    expect((await asToken(path)).code).toBe(200);
  });
  test.each([
    ['GET', NODES],
    ['POST', NODES],
    ['PATCH', `${NODES}/w1`],
    ['GET', CLUSTER_INFO],
    ['GET', `${KUBE_SYSTEM}/secrets`],
    ['PUT', `${CSRS}/a/approval`],
    ['DELETE', `${CSRS}/a`],
  ])('a bootstrap token may not %s %s', async (method, path) => {
    expect((await asToken(path, { method, body: method === 'GET' ? undefined : '{}' })).code).toBe(403);
  });
  test('a bootstrap token may learn that a node does not exist', async () => {
    const { code, json } = await asToken(`${NODES}/w1`);
    expect(code).toBe(404);
    expect(json).toMatchObject({ reason: 'NotFound', message: 'nodes "w1" not found' });
  });
  test('a bootstrap token of a sandbox of 1.20 finds CSRs in v1beta1 too, and in no other version', async () => {
    const older = await startSandbox({ profile: '1.20' });
    const asItsToken = (version: string) => ask(older, CSRS.replace('/v1/', `/${version}/`), { token: older.token });
    const { code, json } = await asItsToken('v1beta1');
    expect([code, json.apiVersion]).toEqual([200, 'certificates.k8s.io/v1beta1']);
    const other = await asItsToken('v1alpha1');
    expect([other.code, other.json.message]).toEqual([404, 'the server could not find the requested resource']);
    await older.close();
  });
  test("the user of a new object is the bootstrap token's, whatever the client wrote", async () => {
    const spec = { username: 'root', groups: ['system:masters'] };
    const { json } = await asToken(CSRS, { method: 'POST', body: csrObject('w1', { spec }) });
    expect(json.spec).toMatchObject({
      username: `system:bootstrap:${sandbox.token.slice(0, 6)}`,
      groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
    });
  });
  test.each([
    ['an unknown id', (token: string) => `zzzzzz${token.slice(6)}`],
    ['a wrong secret', (token: string) => `${token.slice(0, 7)}0000000000000000`],
    ['another form', () => 'not-a-token'],
  ])('a bootstrap token with %s is refused with 401, and not treated as anonymous', async (_, spoil) => {
    const { code, json } = await ask(sandbox, CLUSTER_INFO, { token: spoil(sandbox.token) });
    expect({ code, reason: json.reason }).toEqual({ code: 401, reason: 'Unauthorized' });
  });
  test('a bootstrap token that is not for authentication is refused with 401', async () => {
    const data = { 'token-id': 'signer', 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true' };
    await ask(sandbox, `${KUBE_SYSTEM}/secrets`, {
      method: 'POST',
      identity: admin(sandbox),
      body: { metadata: { name: 'bootstrap-token-signer' }, type: 'bootstrap.kubernetes.io/token', stringData: data },
    });
    expect((await ask(sandbox, CSRS, { token: 'signer.0123456789abcdef' })).code).toBe(401);
  });
});

describe('a client certificate', () => {
  test('a client certificate of system:masters may do everything', async () => {
    expect((await ask(sandbox, `${KUBE_SYSTEM}/secrets`, { identity: admin(sandbox) })).code).toBe(200);
  });
  test('an expired client certificate is refused with 401', async () => {
    const identity = clientOf(sandbox, 'kubernetes-admin', ['system:masters'], {
      notAfter: new Date(Date.now() - 1000),
    });
    expect((await ask(sandbox, NODES, { identity })).code).toBe(401);
  });
  test('a client certificate of another CA with the same name is refused with 401', async () => {
    const identity = clientOf(sandbox, 'kubernetes-admin', ['system:masters'], { signingKey: generateKeyPem() });
    expect((await ask(sandbox, NODES, { identity })).code).toBe(401);
  });
  test('a certificate for servers is refused with 401 as a client certificate', async () => {
    const identity = clientOf(sandbox, 'kubernetes-admin', ['system:masters'], { use: 'server' });
    expect((await ask(sandbox, NODES, { identity })).code).toBe(401);
  });
  test('a self-signed client certificate is refused with 401', async () => {
    const key = generateKeyPem();
    const cert = issueCertificate({
      subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
      publicKey: publicKeyDer(key),
      signingKey: key,
      use: 'client',
      notBefore: new Date(Date.now() - 1000),
      notAfter: new Date(Date.now() + 60_000),
    });
    expect((await ask(sandbox, NODES, { identity: { cert, key } })).code).toBe(401);
  });
});

describe('a node', () => {
  const refused = async (how: object, path = NODES) => {
    const { code, json } = await ask(sandbox, path, { identity: nodeClient(sandbox, 'n1'), ...how });
    expect(code).toBe(403);
    return json.message;
  };

  test('a node registers, patches and reads its own Node', async () => {
    const identity = nodeClient(sandbox, 'n1');
    expect((await ask(sandbox, NODES, { method: 'POST', identity, body: nodeObject('n1') })).code).toBe(201);
    const headers = { 'Content-Type': 'application/strategic-merge-patch+json' };
    const body = { metadata: { annotations: { 'kubeadm.alpha.kubernetes.io/cri-socket': '/run/x.sock' } } };
    const patched = await ask(sandbox, `${NODES}/n1`, { method: 'PATCH', identity, headers, body });
    expect(patched.json.metadata).toMatchObject(body.metadata);
    expect((await ask(sandbox, `${NODES}/n1`, { identity })).json.metadata).toEqual(patched.json.metadata);
  });
  test('a node may not write the Node of another', async () => {
    expect(await refused({ method: 'POST', body: nodeObject('n2') })).toBe(
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    );
  });
  test('a node may not set spec.configSource', async () => {
    const body = nodeObject('n1', { spec: { configSource: { configMap: { name: 'x' } } } });
    expect(await refused({ method: 'PUT', body }, `${NODES}/n1`)).toContain('configSource');
  });
  test('a node may not change its taints after it is registered', async () => {
    const body = nodeObject('n1', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } });
    expect(await refused({ method: 'PUT', body }, `${NODES}/n1`)).toContain('modify taints');
  });
  test('a node may not give itself a role', async () => {
    const metadata = { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1', 'node-role.kubernetes.io/master': '' } };
    expect(await refused({ method: 'PUT', body: nodeObject('n1', { metadata }) }, `${NODES}/n1`)).toContain(
      'modify labels: node-role.kubernetes.io/master',
    );
  });
  test('a node may not delete itself or read secrets', async () => {
    await refused({ method: 'DELETE' }, `${NODES}/n1`);
    await refused({}, `${KUBE_SYSTEM}/secrets`);
  });
  test('a node renews its own lease and no other', async () => {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    const identity = nodeClient(sandbox, 'n1');
    const own = await ask(sandbox, leases, { method: 'POST', identity, body: { metadata: { name: 'n1' } } });
    expect(own.code).toBe(201);
    await refused({ method: 'POST', body: { metadata: { name: 'n2' } } }, leases);
  });
});

describe('an access review', () => {
  const review = async (resourceAttributes: object) => {
    const how = { method: 'POST', token: sandbox.token, body: { spec: { resourceAttributes } } };
    return (await ask(sandbox, SSAR, how)).json.status;
  };
  const nodeclient = {
    verb: 'create',
    group: 'certificates.k8s.io',
    resource: 'certificatesigningrequests',
    subresource: 'nodeclient',
  };

  test('an access review agrees with what the API allows', async () => {
    expect(await review({ verb: 'get', resource: 'nodes' })).toEqual({ allowed: true });
    expect(await review({ verb: 'list', resource: 'nodes' })).toMatchObject({ allowed: false });
  });
  test('an access review allows nodeclient only while CSRs are approved automatically', async () => {
    expect(await review(nodeclient)).toEqual({ allowed: true });
    sandbox.autoApprove = false;
    expect(await review(nodeclient)).toMatchObject({ allowed: false });
    sandbox.autoApprove = true;
  });
  test('an access review without attributes is refused with 422', async () => {
    const { code } = await ask(sandbox, SSAR, { method: 'POST', token: sandbox.token, body: { spec: {} } });
    expect(code).toBe(422);
  });
  test('only administrators may review the access of another user', async () => {
    const path = SSAR.replace('self', '');
    const spec = { user: 'jane', groups: [], resourceAttributes: { verb: 'get', resource: 'nodes' } };
    expect((await ask(sandbox, path, { method: 'POST', token: sandbox.token, body: { spec } })).code).toBe(403);
    const { json } = await ask(sandbox, path, { method: 'POST', identity: admin(sandbox), body: { spec } });
    expect(json.status).toMatchObject({ allowed: false });
  });
});

test('the log records who sent each request and its result', async () => {
  await ask(sandbox, '/version?x=1');
  expect(sandbox.store.requests.at(-1)).toEqual({
    method: 'GET',
    path: '/version?x=1',
    user: 'system:anonymous',
    status: 200,
  });
});
