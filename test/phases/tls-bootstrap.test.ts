import { describe, expect, test } from 'vitest';
import { type CsrObject, csrRef, nodeRef, paths } from '../../engine/node/index.ts';
import { createCsr, csrName, generateKeyPem, publicKeyDer, readCsr } from '../../engine/pki/index.ts';
import { isSecret } from '../../engine/sdk/index.ts';
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
import { shownOf } from '../helpers/errors.ts';
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
    ...machineIn(new FakeCluster(ca), { [paths.kubeletConf]: 'of somebody else' }),
    services: { kubelet: { active: true } },
  }),
  secrets: [TOKEN_SECRET],
});

describe('the bootstrap', () => {
  test('asks as the kubelet would ask, and gives certificate and key', async () => {
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
    expect(host.changes.filter(({ kind }) => kind !== 'remove')).toEqual([]); // a key that is there is not made again
  });

  describe('where the server has certificates.k8s.io in v1beta1 alone, as up to 1.18', () => {
    const older = () => {
      const cluster = new FakeCluster(ca);
      const unserved = cluster.answer(404, { message: 'the server could not find the requested resource' });
      cluster.answers.set('POST /apis/certificates.k8s.io/v1/certificatesigningrequests', unserved);
      return cluster;
    };

    test('asks in that version, without a signer, and watches there', async () => {
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

    test('adopts there a request of its own key', async () => {
      const cluster = older();
      const first = await bootstrap(memoryHost(machineIn(cluster)));
      const second = await bootstrap(memoryHost(machineIn(cluster)));
      expect([first.error, second.error]).toEqual([undefined, undefined]);
      expect([...cluster.objects.keys()].filter((path) => path.includes('v1beta1'))).toHaveLength(1);
    });

    test('another refusal is not taken for an old server', async () => {
      const cluster = new FakeCluster(ca);
      const invalid = cluster.answer(422, { message: 'no' });
      cluster.answers.set('POST /apis/certificates.k8s.io/v1/certificatesigningrequests', invalid);
      const { error } = await bootstrap(memoryHost(machineIn(cluster)));
      expect(error).toMatchObject({ code: 'E_API_REFUSED', facts: { status: 422 } });
    });
  });

  test('makes a key of its own where there is none', async () => {
    const { result } = await runPhase(tlsBootstrap, input, memoryHost(machineIn(new FakeCluster(ca))));
    const outputs = result.steps[0]?.outputs as { key: unknown };
    const made = isSecret(outputs.key) ? outputs.key.reveal() : '';
    expect(made).toMatch(/^-----BEGIN EC PRIVATE KEY-----/);
  });

  test.each([
    [true, 'info', 'will be approved automatically'],
    [false, 'warn', 'needs manual approval:\n    kubectl get csr\n    kubectl certificate approve node-csr-'],
  ])('says who approves (automatic: %s)', async (automatic, level, text) => {
    const cluster = new FakeCluster(ca);
    cluster.automatic = automatic;
    const { result } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(result.steps[0]?.notes).toContainEqual({ level, text: expect.stringContaining(text) });
  });

  test('adopts a request of its own key that is there already', async () => {
    const cluster = new FakeCluster(ca);
    const request = Buffer.from(createCsr(key, subject)).toString('base64');
    cluster.put(csrRef(NAME), { spec: { request, signerName: 's', usages: USAGES } });
    const { error, changes } = await bootstrap(memoryHost(machineIn(cluster)));
    expect([error, changes]).toEqual([undefined, []]);
  });

  test('adopts one that is signed already without waiting', async () => {
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
  ])('refuses a request under its name %s', async (_, pem, what) => {
    const cluster = new FakeCluster(ca);
    cluster.put(csrRef(NAME), { spec: { request: Buffer.from(pem).toString('base64'), signerName: 's', usages: [] } });
    const { error } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toMatchObject({ code: 'E_CSR_CONFLICT', facts: { csr: NAME, what }, exitCode: 5 });
  });

  test.each([
    ['was denied', [{ type: 'Denied', status: 'True' }]],
    ['could not be signed', [{ type: 'Failed', status: 'True' }]],
  ])('makes another key where the request of the one it had %s', async (_, conditions) => {
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

  test('gives up where every name it takes is in the way and nothing is there', async () => {
    const cluster = new FakeCluster(ca);
    cluster.answers.set(`POST ${CSRS}`, cluster.answer(409, { message: 'already exists' }));
    const { error } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toMatchObject({ code: 'E_CSR_GONE', transient: true });
  });

  test('refuses a certificate that is not the one asked for, and gives none', async () => {
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
  ])('ends with the error of an answer %i', async (status, code) => {
    const cluster = new FakeCluster(ca);
    cluster.answers.set(`POST ${CSRS}`, cluster.answer(status, { message: 'no' }));
    const { error } = await bootstrap(memoryHost(machineIn(cluster)));
    expect(error).toMatchObject({ code });
    expect(shownOf(error)).not.toContain(TOKEN_SECRET);
  });
});

describe('an identity that the machine holds', () => {
  const held = issue(ca);
  const onDisk = heldIdentity(SERVER, ca.pem, held);
  const joined = (cluster: FakeCluster, files = onDisk) => memoryHost(machineIn(cluster, files));
  const cluster = () => {
    const made = new FakeCluster(ca);
    made.put(nodeRef('w1'), ready);
    return made;
  };

  test('is used where it is this node, in this cluster, still valid and still accepted', async () => {
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
  ])('is replaced where it %s', async (_, files, given) => {
    const host = joined(new FakeCluster(ca), files);
    const { error } = await bootstrap(host, given);
    expect(error).toBeUndefined();
    expect(host.sent.map(({ method, path }) => `${method} ${path}`)).toContain(`POST ${CSRS}`);
  });

  test('is replaced where the cluster does not take it any more', async () => {
    const made = cluster();
    let asked = 0;
    made.answers.set('GET /api/v1/nodes/w1', () => made.answer(++asked === 1 ? 401 : 404, {}));
    const host = joined(made);
    expect((await bootstrap(host)).error).toBeUndefined();
    expect(host.sent.map(({ path }) => path)).toContain(CSRS);
  });

  test('is not thrown away because the cluster does not answer just now', async () => {
    const made = cluster();
    made.answers.set('GET /api/v1/nodes/w1', made.answer(503, {}));
    const host = joined(made);
    expect((await bootstrap(host)).error).toMatchObject({ code: 'E_API_UNAVAILABLE' });
    expect(host.sent).toHaveLength(1);
  });

  test('in another cluster stops the join', async () => {
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
