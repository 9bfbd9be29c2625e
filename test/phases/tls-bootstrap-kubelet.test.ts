import { describe, expect, test } from 'vitest';
import { paths } from '../../engine/node/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import { bootstrap, ca, leaving, machineIn } from '../helpers/bootstrap.ts';
import { FakeCluster, issue, SERVER, TOKEN } from '../helpers/cluster.ts';
import { heldIdentity } from '../helpers/node.ts';

describe('tls-bootstrap in mode kubelet', () => {
  const text = async (host: MemoryHost, path: string) =>
    (await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))?.toString();

  test('tls-bootstrap in mode kubelet writes the bootstrap kubeconfig of kubeadm, and sends no CSR', async () => {
    const host = memoryHost(machineIn(new FakeCluster(ca)));
    const { error, changes, result } = await bootstrap(host, leaving);
    expect([error, result.steps[0]?.outputs]).toEqual([undefined, {}]);
    expect(await text(host, paths.bootstrapKubeletConf)).toBe(`apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(ca.pem).toString('base64')}
    server: ${SERVER}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: tls-bootstrap-token-user
  name: tls-bootstrap-token-user@kubernetes
current-context: tls-bootstrap-token-user@kubernetes
kind: Config
preferences: {}
users:
- name: tls-bootstrap-token-user
  user:
    token: ${TOKEN}
`);
    expect(changes.at(-1)).toEqual({
      kind: 'file',
      path: paths.bootstrapKubeletConf,
      action: 'create',
      mode: 0o600,
      content: undefined,
    });
    expect(host.sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    ]);
  });

  test.each([
    ['abcdef.0123456789abcdef', 'token: abcdef.0123456789abcdef'],
    ['123456.0123456789012345', 'token: "123456.0123456789012345"'],
    ['123456.012345678901e345', 'token: "123456.012345678901e345"'],
  ])('tls-bootstrap in mode kubelet quotes a token that YAML would read as a number: %s', async (token, line) => {
    const host = memoryHost(machineIn(new FakeCluster(ca)));
    await bootstrap(host, { ...leaving, identity: { ...leaving.identity, token } });
    expect(await text(host, paths.bootstrapKubeletConf)).toContain(`    ${line}\n`);
  });

  test('tls-bootstrap in mode kubelet writes the client certificate if there is no token', async () => {
    const { pem, keyPem } = issue(ca, { user: 'joiner', groups: [] });
    const host = memoryHost(machineIn(new FakeCluster(ca)));
    const identity = { server: SERVER, ca: ca.pem, clientCertificate: pem, clientKey: keyPem };
    expect((await bootstrap(host, { ...leaving, identity })).error).toBeUndefined();
    const base64 = (value: string) => Buffer.from(value).toString('base64');
    expect(await text(host, paths.bootstrapKubeletConf)).toContain(
      `  user:\n    client-certificate-data: ${base64(pem)}\n    client-key-data: ${base64(keyPem)}\n`,
    );
  });

  test('tls-bootstrap in mode kubelet stops the kubelet first, and deletes the old identity', async () => {
    const files = heldIdentity(SERVER, ca.pem, issue(ca, { user: 'system:node:other' }));
    const host = memoryHost({ ...machineIn(new FakeCluster(ca), files), services: { kubelet: { active: true } } });
    const { changes } = await bootstrap(host, leaving);
    expect(changes.map((change) => `${change.kind} ${'path' in change ? change.path : ''}`)).toEqual([
      'service ',
      `remove ${paths.kubeletConf}`,
      `remove ${paths.kubeletCurrentPem}`,
      `file ${paths.bootstrapKubeletConf}`,
    ]);
  });

  test("tls-bootstrap in mode kubelet changes nothing if the cluster accepts the machine's identity", async () => {
    const { pem, keyPem } = issue(ca);
    const host = memoryHost(machineIn(new FakeCluster(ca), heldIdentity(SERVER, ca.pem, { pem, keyPem })));
    const { error, changes, result } = await bootstrap(host, leaving);
    expect([error, changes]).toEqual([undefined, []]);
    expect(result.steps[0]?.outputs).toMatchObject({ certificate: pem });
  });

  test.each([
    [true, []],
    [
      false,
      [
        {
          level: 'warn',
          text: "the kubelet's CSR will need manual approval:\n    kubectl get csr\n    kubectl certificate approve NAME",
        },
      ],
    ],
  ])(
    "tls-bootstrap in mode kubelet reports whether the kubelet's CSR needs approval (automatic: %s)",
    async (automatic, notes) => {
      const cluster = new FakeCluster(ca);
      cluster.automatic = automatic;
      const { result } = await bootstrap(memoryHost(machineIn(cluster)), leaving);
      expect(result.steps[0]?.notes).toEqual(notes);
    },
  );
});
