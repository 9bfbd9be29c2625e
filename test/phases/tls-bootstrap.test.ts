import { describe, expect, test } from 'vitest';
import { type CsrObject, csrRef, nodeRef, paths } from '../../engine/node/index.ts';
import { createCsr, csrName, generateKeyPem, publicKeyDer, readCsr } from '../../engine/pki/index.ts';
import { isSecret } from '../../engine/sdk/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import { certificateProblems, conflictWith, isIssued } from '../../phases/tls-bootstrap/certificate.ts';
import tlsBootstrap from '../../phases/tls-bootstrap/index.ts';
import { authority, DAY_MS, FakeCluster, issue, NOW, SERVER, TOKEN, TOKEN_SECRET } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { joinErrorOf, shownOf } from '../helpers/errors.ts';
import { glimpseOf, heldIdentity } from '../helpers/node.ts';

const ca = authority();
const key = generateKeyPem();
const subject = { commonName: 'system:node:w1', organizations: ['system:nodes'] };
const USAGES = ['digital signature', 'key encipherment', 'client auth'];
const NAME = csrName(publicKeyDer(key), subject, USAGES);
const once = { 'client-key': key };
const input = { identity: { server: SERVER, ca: ca.pem, token: TOKEN }, nodeName: 'w1' };
const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

/** The key is made beforehand, so that the name of the request is known. */
const machineIn = (cluster: FakeCluster, files: Record<string, string> = {}) => ({
  ...{ now: () => NOW, files, send: cluster.send, wait: cluster.wait },
});
const bootstrap = (host: MemoryHost, given: Record<string, unknown> = input) =>
  runPhase(tlsBootstrap, given, host, { once });
const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };

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

const leaving = { ...input, tlsBootstrapMode: 'kubelet' };
itKeepsThePhaseContract(tlsBootstrap, {
  input: leaving,
  machine: () => ({
    ...machineIn(new FakeCluster(ca), { [paths.kubeletConf]: 'of somebody else' }),
    services: { kubelet: { active: true } },
  }),
  secrets: [TOKEN_SECRET],
});

describe('the bootstrap that is left to the kubelet', () => {
  const text = async (host: MemoryHost, path: string) =>
    (await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))?.toString();

  test('leaves it the token, byte for byte as kubeadm does, and asks for nothing itself', async () => {
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
      ...{ kind: 'file', path: paths.bootstrapKubeletConf, action: 'create', mode: 0o600, content: undefined },
    });
    expect(host.sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    ]);
  });

  test.each([
    ['abcdef.0123456789abcdef', 'token: abcdef.0123456789abcdef'],
    ['123456.0123456789012345', 'token: "123456.0123456789012345"'],
    ['123456.012345678901e345', 'token: "123456.012345678901e345"'],
  ])('quotes a token that YAML would take for a number: %s', async (token, line) => {
    const host = memoryHost(machineIn(new FakeCluster(ca)));
    await bootstrap(host, { ...leaving, identity: { ...leaving.identity, token } });
    expect(await text(host, paths.bootstrapKubeletConf)).toContain(`    ${line}\n`);
  });

  test('leaves it the certificate of a discovery file, where there is no token', async () => {
    const { pem, keyPem } = issue(ca, { user: 'joiner', groups: [] });
    const host = memoryHost(machineIn(new FakeCluster(ca)));
    const identity = { server: SERVER, ca: ca.pem, clientCertificate: pem, clientKey: keyPem };
    expect((await bootstrap(host, { ...leaving, identity })).error).toBeUndefined();
    const base64 = (value: string) => Buffer.from(value).toString('base64');
    expect(await text(host, paths.bootstrapKubeletConf)).toContain(
      `  user:\n    client-certificate-data: ${base64(pem)}\n    client-key-data: ${base64(keyPem)}\n`,
    );
  });

  test('stops the kubelet first, and takes away with what it would not ask', async () => {
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

  test('does nothing of that where the node holds a certificate that the cluster takes', async () => {
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
  ])('says who approves (automatic: %s)', async (automatic, notes) => {
    const cluster = new FakeCluster(ca);
    cluster.automatic = automatic;
    const { result } = await bootstrap(memoryHost(machineIn(cluster)), leaving);
    expect(result.steps[0]?.notes).toEqual(notes);
  });
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

describe('a certificate that came back', () => {
  const problemsOf = (how: Parameters<typeof issue>[1] = {}, keyPem = key) =>
    certificateProblems(issue(ca, { keyPem: key, ...how }).pem, keyPem, subject, NOW);
  const later = new Date(NOW.getTime() + DAY_MS);
  const earlier = new Date(NOW.getTime() - 1_000);

  test.each<[string, Parameters<typeof issue>[1], string[]]>([
    ['nothing', {}, []],
    ['another key', { keyPem: generateKeyPem() }, ['it does not match the private key']],
    ['another name', { user: 'system:node:w2' }, ['its subject is system:node:w2, not system:node:w1']],
    ['other groups', { groups: ['system:masters'] }, ['its groups are system:masters, not system:nodes']],
    [
      'more groups',
      { groups: ['system:nodes', 'system:masters'] },
      ['its groups are system:nodes,system:masters, not system:nodes'],
    ],
    ['another use', { use: 'server' }, ['it does not allow client authentication']],
    [
      'a beginning that is to come',
      { notBefore: later },
      [`it is valid from ${later.toISOString()}, but the time is ${NOW.toISOString()}`],
    ],
    [
      'an end that has come',
      { notAfter: earlier },
      [`it expired at ${earlier.toISOString()}, and the time is ${NOW.toISOString()}`],
    ],
  ])('is wrong by %s', (_, how, expected) => {
    expect(problemsOf(how)).toEqual(expected);
  });

  test('is told all that is wrong with it', () => {
    expect(
      problemsOf({ user: 'x', groups: [], use: 'server', notBefore: later, keyPem: generateKeyPem() }),
    ).toHaveLength(5);
  });

  test.each(['', 'nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'cannot be read: %j',
    (pem) => {
      expect(certificateProblems(pem, key, subject, NOW)).toEqual(['it cannot be read']);
    },
  );
});

describe('a request that is waited for', () => {
  const csr = (status?: CsrObject['status']): CsrObject => ({
    metadata: { name: 'c' },
    spec: { request: '', signerName: '', usages: [] },
    ...(status === undefined ? {} : { status }),
  });
  const approved = { type: 'Approved', status: 'True' };

  test.each<[string, CsrObject, boolean]>([
    ['nobody has looked at', csr(), false],
    ['is approved without a certificate', csr({ conditions: [approved] }), false],
    ['is approved with an empty certificate', csr({ conditions: [approved], certificate: '' }), false],
    ['is approved and signed', csr({ conditions: [approved], certificate: 'x' }), true],
  ])('that %s is done: %s', (_, object, expected) => {
    expect(isIssued('c', object)).toBe(expected);
  });

  const facts = { csr: 'c', reason: 'Because', message: 'not you' };
  test.each<[string, CsrObject | undefined, string, object]>([
    [
      'was denied',
      csr({ conditions: [{ type: 'Denied', status: 'True', reason: 'Because', message: 'not\nyou' }] }),
      'E_CSR_DENIED',
      facts,
    ],
    [
      'was denied though signed',
      csr({
        conditions: [approved, { type: 'Denied', status: 'True', reason: 'Because', message: 'not you' }],
        certificate: 'x',
      }),
      'E_CSR_DENIED',
      facts,
    ],
    [
      'failed',
      csr({ conditions: [approved, { type: 'Failed', status: 'True', reason: 'Because', message: 'not you' }] }),
      'E_CSR_FAILED',
      facts,
    ],
    ['is gone', undefined, 'E_CSR_GONE', { csr: 'c' }],
  ])('that %s ends the wait', async (_, object, code, expected) => {
    const error = await joinErrorOf(() => isIssued('c', object));
    expect([error.code, error.facts]).toEqual([code, expected]);
  });

  test('is ours by key and name, and not by its bytes', () => {
    const ours = createCsr(key, subject);
    const theirs = (pem: string): CsrObject => ({
      ...csr(),
      spec: { ...csr().spec, request: Buffer.from(pem).toString('base64') },
    });
    const again = createCsr(key, subject); // ECDSA signs differently each time
    expect(again).not.toBe(ours);
    expect(conflictWith(theirs(again), ours)).toBeUndefined();
  });
});
