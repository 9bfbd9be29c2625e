import { describe, expect, test } from 'vitest';
import type { Wait } from '../../engine/host/host.ts';
import { type CsrObject, csrRef, nodeRef, paths } from '../../engine/node/index.ts';
import { createCsr, csrName, generateKeyPem, publicKeyDer, readCsr } from '../../engine/pki/index.ts';
import { fail, isSecret } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { certificateProblems } from '../../phases/tls-bootstrap/certificate.ts';
import tlsBootstrap from '../../phases/tls-bootstrap/index.ts';
import {
  bootstrap,
  CSRS,
  ca,
  input,
  key,
  leaving,
  machineIn,
  NAME,
  once,
  ready,
  subject,
  USAGES,
} from '../helpers/bootstrap.ts';
import { authority, FakeCluster, issue, NOW, SERVER, TOKEN_SECRET } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { printedForms } from '../helpers/errors.ts';
import { glimpseOf, heldIdentity } from '../helpers/node.ts';

itKeepsThePhaseContract(tlsBootstrap, {
  input,
  machine: () => machineIn(new FakeCluster(ca)),
  secrets: [TOKEN_SECRET, glimpseOf(key)],
  once,
  async afterwards(host, outputs) {
    const { certificate, key: secret } = outputs as { certificate: string; key: { reveal(): string } };
    const files = heldIdentity(SERVER, ca.pem, { pem: certificate, keyPem: secret.reveal() });
    for (const [path, text] of Object.entries(files))
      await host.apply(
        { kind: 'file', path, content: Buffer.from(text), mode: 0o600, secret: true },
        new AbortController().signal,
      );
  },
});

itKeepsThePhaseContract(tlsBootstrap, {
  input: leaving,
  machine: () => ({
    ...machineIn(new FakeCluster(ca), { [paths.kubeletConf]: 'of another cluster' }),
    services: { kubelet: { active: true } },
  }),
  secrets: [TOKEN_SECRET],
});

describe('tls-bootstrap in mode direct', () => {
  test('tls-bootstrap sends the same CSR as the kubelet, and outputs certificate and key', async () => {
    const cluster = new FakeCluster(ca);
    const host = memoryHost(machineIn(cluster));
    const { result, error, changes } = await bootstrap(host);
    expect(error).toBeUndefined();
    expect(host.sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      `POST ${CSRS}`,
    ]);
    const { spec } = (host.sent[1]?.body ?? {}) as CsrObject;
    expect({ ...spec, request: undefined }).toEqual({
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: USAGES,
      request: undefined,
    });
    expect(readCsr(Buffer.from(spec.request, 'base64').toString())).toMatchObject({
      ...subject,
      signatureValid: true,
      asksExtensions: false,
    });
    expect(changes).toEqual([
      { kind: 'api', verb: 'create', resource: 'certificatesigningrequests', name: NAME, checked: 'sent' },
    ]);
    const outputs = result.steps[0]?.outputs as { certificate: string; key: unknown };
    expect(isSecret(outputs.key) && outputs.key.reveal()).toBe(key);
    expect(certificateProblems(outputs.certificate, key, subject, NOW)).toEqual([]);
    expect(host.changes.filter(({ kind }) => kind !== 'remove')).toEqual([]); // the existing key stays
  });

  describe('with a server that has only v1beta1 of certificates.k8s.io (up to 1.18)', () => {
    const older = () => {
      const cluster = new FakeCluster(ca);
      const unserved = cluster.answer(404, { message: 'the server could not find the requested resource' });
      cluster.answers.set('POST /apis/certificates.k8s.io/v1/certificatesigningrequests', unserved);
      return cluster;
    };

    test('tls-bootstrap sends and watches the CSR in v1beta1, without a signer', async () => {
      const host = memoryHost(machineIn(older()));
      const { error, result } = await runPhase(tlsBootstrap, input, host);
      expect(error).toBeUndefined();
      const posts = host.sent.filter(({ method, path }) => method === 'POST' && path.includes('certificates.k8s.io'));
      expect(posts.map(({ path }) => path)).toEqual([
        '/apis/certificates.k8s.io/v1/certificatesigningrequests',
        '/apis/certificates.k8s.io/v1beta1/certificatesigningrequests',
      ]);
      expect(posts[1]?.body).toMatchObject({ apiVersion: 'certificates.k8s.io/v1beta1' });
      expect(Object.keys((posts[1]?.body as { spec?: object } | undefined)?.spec ?? {})).toEqual(['request', 'usages']);
      expect(result.steps[0]?.outputs).toMatchObject({ certificate: expect.stringContaining('BEGIN CERTIFICATE') });
    });

    test('tls-bootstrap adopts a v1beta1 CSR of its own key', async () => {
      const cluster = older();
      const first = await bootstrap(memoryHost(machineIn(cluster)));
      const second = await bootstrap(memoryHost(machineIn(cluster)));
      expect([first.error, second.error]).toEqual([undefined, undefined]);
      expect([...cluster.objects.keys()].filter((path) => path.includes('v1beta1'))).toHaveLength(1);
    });

    test('tls-bootstrap does not mistake another refusal for an old server', async () => {
      const cluster = new FakeCluster(ca);
      const invalid = cluster.answer(422, { message: 'no' });
      cluster.answers.set('POST /apis/certificates.k8s.io/v1/certificatesigningrequests', invalid);
      const { error } = await bootstrap(memoryHost(machineIn(cluster)));
      expect(error).toMatchObject({ code: 'E_API_REFUSED', facts: { status: 422 } });
    });
  });

  test('tls-bootstrap creates a key if no key exists', async () => {
    const { result } = await runPhase(tlsBootstrap, input, memoryHost(machineIn(new FakeCluster(ca))));
    const outputs = result.steps[0]?.outputs as { key: unknown };
    const created = isSecret(outputs.key) ? outputs.key.reveal() : '';
    expect(created).toMatch(/^-----BEGIN EC PRIVATE KEY-----/);
  });

  test.each([
    [true, 'info', 'will be approved automatically'],
    [false, 'warn', 'needs manual approval:\n    kubectl get csr\n    kubectl certificate approve node-csr-'],
  ])('tls-bootstrap reports whether its CSR needs approval (automatic: %s)', async (automatic, level, text) => {
    const cluster = new FakeCluster(ca);
    cluster.automatic = automatic;
    const { result } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(result.steps[0]?.notes).toContainEqual({ level, text: expect.stringContaining(text) });
  });

  test('tls-bootstrap adopts an existing CSR of its own key', async () => {
    const cluster = new FakeCluster(ca);
    const request = Buffer.from(createCsr(key, subject)).toString('base64');
    cluster.put(csrRef(NAME), { spec: { request, signerName: 's', usages: USAGES } });
    const { error, changes } = await bootstrap(memoryHost(machineIn(cluster)));
    expect([error, changes]).toEqual([undefined, []]);
  });

  test('tls-bootstrap adopts a signed CSR without waiting', async () => {
    const cluster = new FakeCluster(ca);
    const request = Buffer.from(createCsr(key, subject)).toString('base64');
    cluster.put(
      csrRef(NAME),
      cluster.signed({ metadata: { name: NAME }, spec: { request, signerName: 's', usages: USAGES } }),
    );
    cluster.decide = () => {
      throw new Error('waited');
    };
    expect((await bootstrap(memoryHost(machineIn(cluster)))).error).toBeUndefined();
  });

  test.each<[string, string, string]>([
    ['of another key', createCsr(generateKeyPem(), subject), 'it is for another key'],
    ['of another node', createCsr(key, { ...subject, commonName: 'system:node:w2' }), 'it is for system:node:w2'],
    ['that cannot be read', 'nonsense', 'no CERTIFICATE REQUEST block'],
  ])('tls-bootstrap refuses a CSR of the same name %s', async (_, pem, what) => {
    const cluster = new FakeCluster(ca);
    cluster.put(csrRef(NAME), { spec: { request: Buffer.from(pem).toString('base64'), signerName: 's', usages: [] } });
    const { error } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toMatchObject({ code: 'E_CSR_CONFLICT', facts: { csr: NAME, what }, exitCode: 5 });
  });

  test.each([
    ['was denied', [{ type: 'Denied', status: 'True' }]],
    ['could not be signed', [{ type: 'Failed', status: 'True' }]],
  ])('tls-bootstrap creates another key if the CSR of the first one %s', async (_, conditions) => {
    const cluster = new FakeCluster(ca);
    const request = Buffer.from(createCsr(key, subject)).toString('base64');
    cluster.put(csrRef(NAME), { spec: { request, signerName: 's', usages: USAGES }, status: { conditions } });
    const { error, result, changes } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toBeUndefined();
    const outputs = result.steps[0]?.outputs as { key: { reveal(): string } };
    expect(outputs.key.reveal()).not.toBe(key);
    const name = csrName(publicKeyDer(outputs.key.reveal()), subject, USAGES);
    expect(changes).toMatchObject([{ kind: 'api', verb: 'create', name }]);
  });

  test('tls-bootstrap fails if every CSR name conflicts and no CSR exists', async () => {
    const cluster = new FakeCluster(ca);
    cluster.answers.set(`POST ${CSRS}`, cluster.answer(409, { message: 'already exists' }));
    const { error } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toMatchObject({ code: 'E_CSR_GONE', transient: true });
  });

  test.each<[string, object[], string]>([
    ['no condition', [], `${NAME} is not approved; to approve it: kubectl certificate approve ${NAME}`],
    [
      'the condition Approved',
      [{ type: 'Approved', status: 'True', reason: 'AutoApproved', message: 'by the\ncontroller' }],
      `${NAME} has no certificate, and these conditions: Approved, AutoApproved: by the controller`,
    ],
    ['a condition without words', [{ type: 'Approved' }], `${NAME} has no certificate, and these conditions: Approved`],
  ])('a wait that times out ends with the state of a CSR that has %s', async (_, conditions, witness) => {
    const machine = machineIn(new FakeCluster(ca));
    const wait = async (condition: Wait) => {
      if (condition.kind === 'object') condition.done({ ...(condition.from as CsrObject), status: { conditions } });
      throw fail('E_STEP_TIME_LIMIT', { step: 'tls-bootstrap', limitMs: 1, witness: 'the server is busy' });
    };
    const { error } = await bootstrap(memoryHost({ ...machine, wait }));
    expect(error).toMatchObject({
      code: 'E_STEP_TIME_LIMIT',
      facts: { witness: `the server is busy; ${witness}` },
    });
  });

  test('tls-bootstrap refuses a wrong certificate, and outputs none', async () => {
    const cluster = new FakeCluster(ca);
    cluster.decide = (csr) => cluster.signed(csr, { user: 'system:node:w2' });
    const { error, result } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toMatchObject({
      code: 'E_CERTIFICATE_WRONG',
      facts: { csr: NAME, problems: ['its subject is system:node:w2, not system:node:w1'] },
      exitCode: 12,
    });
    expect(result.steps[0]?.outputs).toBeUndefined();
  });

  test.each([
    [401, 'E_API_UNAUTHORIZED'],
    [403, 'E_API_FORBIDDEN'],
    [500, 'E_API_UNAVAILABLE'],
  ])('tls-bootstrap fails with the error of an answer %i', async (status, code) => {
    const cluster = new FakeCluster(ca);
    cluster.answers.set(`POST ${CSRS}`, cluster.answer(status, { message: 'no' }));
    const { error } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toMatchObject({ code });
    expect(printedForms(error)).not.toContain(TOKEN_SECRET);
  });
});

describe('an existing identity', () => {
  const held = issue(ca);
  const onDisk = heldIdentity(SERVER, ca.pem, held);
  const joined = (cluster: FakeCluster, files = onDisk) => memoryHost(machineIn(cluster, files));
  const cluster = () => {
    const fake = new FakeCluster(ca);
    fake.put(nodeRef('w1'), ready);
    return fake;
  };

  test('tls-bootstrap reuses an identity of this node in this cluster that is valid and accepted', async () => {
    const host = joined(cluster());
    const { result, error, changes } = await bootstrap(host);
    expect([error, changes]).toEqual([undefined, []]);
    const outputs = result.steps[0]?.outputs as { certificate: string; key: unknown };
    expect(outputs.certificate).toBe(held.pem);
    expect(isSecret(outputs.key) && outputs.key.reveal().trim()).toBe(held.keyPem.trim());
    expect(host.sent).toHaveLength(1);
    expect(host.sent[0]?.as).toMatchObject({ certificate: { pem: held.pem } });
  });

  test.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['has expired', heldIdentity(SERVER, ca.pem, issue(ca, { notAfter: new Date(NOW.getTime() - 1) })), input],
    ['is of another node', onDisk, { ...input, nodeName: 'w2' }],
    ['has no certificate', { [paths.kubeletConf]: onDisk[paths.kubeletConf] ?? '' }, input],
    ['cannot be read', { ...onDisk, [paths.kubeletCurrentPem]: 'nonsense' }, input],
    ['has no key', { ...onDisk, [paths.kubeletCurrentPem]: held.pem }, input],
  ])('tls-bootstrap replaces an identity that %s', async (_, files, change) => {
    const host = joined(new FakeCluster(ca), files);
    const { error } = await bootstrap(host, change);
    expect(error).toBeUndefined();
    expect(host.sent.map(({ method, path }) => `${method} ${path}`)).toContain(`POST ${CSRS}`);
  });

  test('tls-bootstrap replaces an identity that the cluster no longer accepts', async () => {
    const fake = cluster();
    let asked = 0;
    fake.answers.set('GET /api/v1/nodes/w1', () => fake.answer(++asked === 1 ? 401 : 404, {}));
    const host = joined(fake);
    expect((await bootstrap(host)).error).toBeUndefined();
    expect(host.sent.map(({ path }) => path)).toContain(CSRS);
  });

  test('tls-bootstrap keeps an identity if the cluster does not answer', async () => {
    const fake = cluster();
    fake.answers.set('GET /api/v1/nodes/w1', fake.answer(503, {}));
    const host = joined(fake);
    expect((await bootstrap(host)).error).toMatchObject({ code: 'E_API_UNAVAILABLE' });
    expect(host.sent).toHaveLength(1);
  });

  test('tls-bootstrap fails for an identity of another cluster', async () => {
    const foreign = authority('foreign');
    const host = joined(cluster(), heldIdentity('https://other:6443', foreign.pem, issue(foreign)));
    expect((await bootstrap(host)).error).toMatchObject({
      code: 'E_OTHER_CLUSTER',
      facts: { path: '/etc/kubernetes/kubelet.conf', server: SERVER },
      exitCode: 6,
    });
    expect(host.sent).toEqual([]);
  });
});
