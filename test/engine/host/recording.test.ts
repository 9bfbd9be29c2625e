import { describe, expect, test } from 'vitest';
import type { Change } from '../../../engine/host/changes/index.ts';
import type { Host } from '../../../engine/host/host.ts';
import { recordingHost } from '../../../engine/host/recording.ts';
import { type CsrObject, configMapRef, csrRef, isReady, type NodeObject, nodeRef } from '../../../engine/node/index.ts';
import { createCsr, generateKeyPem, readCertificates } from '../../../engine/pki/index.ts';
import type { ApiAnswer, ApiRequest } from '../../../engine/sdk/api.ts';
import { apiCalls, fail, type Identity, Secret } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { portsOn } from '../../helpers/machine.ts';

const SIGNAL = new AbortController().signal;
const file = (path: string, text: string | Buffer, mode = 0o644): Extract<Change, { kind: 'file' }> => {
  const content = Buffer.from(text);
  return { kind: 'file', path, content, mode, secret: false };
};

describe('a dry run', () => {
  const token: Identity = { server: 'https://c:6443', ca: 'CA', token: new Secret('t') };
  const version = (minor: string, major = '1'): ApiAnswer => ({
    status: 200,
    body: { major, minor },
    clockSkewMs: undefined,
  });
  const stored = (request: ApiRequest): ApiAnswer => ({
    status: 201,
    body: { ...request.body, metadata: { name: 'n', uid: 'real' } },
    clockSkewMs: 5,
  });
  const request = (change: Partial<ApiRequest>): ApiRequest => ({
    server: token.server,
    as: token,
    method: 'GET',
    ref: nodeRef('w1'),
    path: '/api/v1/nodes/w1',
    query: {},
    body: undefined,
    ...change,
  });
  const post = request({ method: 'POST', path: '/api/v1/nodes', body: { metadata: { name: 'w1' } } });
  const patch = request({ method: 'PATCH', body: { metadata: { labels: { a: 'b' } } } });
  const serving = (answer: (request: ApiRequest) => ApiAnswer = stored, minor = '20') =>
    memoryHost({ send: (sent) => (sent.path === '/version' ? version(minor) : answer(sent)) });

  test('a dry run reads its own changes back, and changes nothing', async () => {
    const inner = memoryHost({
      files: { '/etc/a': 'real', '/etc/b': 'real' },
      services: { kubelet: { active: true, unit: 'unit' } },
    });
    const dry = recordingHost(inner);
    const changes: Change[] = [
      file('/etc/a', 'planned', 0o600),
      { kind: 'remove', path: '/etc/b' },
      file('/etc/d/c', 'new'),
      { kind: 'link', path: '/etc/l', target: 'd/c' },
      { kind: 'directory', path: '/var/x', mode: 0o700 },
      { kind: 'service', name: 'kubelet', action: 'stop' },
      { kind: 'command', argv: ['rm', '-rf', '/'], undo: undefined, irreversible: 'x' },
    ];
    for (const change of changes) await dry.apply(change, SIGNAL);
    const read = async (path: string) => (await dry.read<'file'>({ kind: 'file', path }, SIGNAL))?.toString();
    expect([await read('/etc/a'), await read('/etc/b'), await read('/etc/d/c'), await read('/etc/l')]).toEqual([
      'planned',
      undefined,
      'new',
      'new',
    ]);
    const stats = ['/etc/a', '/etc/b', '/etc/l', '/var/x'].map((path) =>
      dry.read<'stat'>({ kind: 'stat', path }, SIGNAL),
    );
    expect(await Promise.all(stats)).toEqual([
      { kind: 'file', mode: 0o600 },
      undefined,
      { kind: 'link', mode: 0o777, target: 'd/c' },
      { kind: 'directory', mode: 0o700 },
    ]);
    expect(await dry.read({ kind: 'list', path: '/etc' }, SIGNAL)).toEqual(['a', 'd', 'l']);
    expect(await dry.read({ kind: 'list', path: '/var' }, SIGNAL)).toEqual(['x']);
    expect(await dry.read({ kind: 'list', path: '/nothing' }, SIGNAL)).toBeUndefined();
    expect(await dry.read<'service'>({ kind: 'service', name: 'kubelet' }, SIGNAL)).toMatchObject({
      exists: true,
      active: false,
    });
    expect(await dry.read({ kind: 'unit', name: 'kubelet' }, SIGNAL)).toBe('unit');
    expect([inner.changes, inner.sent]).toEqual([[], []]);
  });

  test('a dry run follows a recorded link to a real file, and stops at a cycle', async () => {
    const dry = recordingHost(memoryHost({ files: { '/etc/real': 'real', '/etc/old': 'old' } }));
    await dry.apply({ kind: 'link', path: '/etc/l', target: 'm' }, SIGNAL);
    await dry.apply({ kind: 'link', path: '/etc/m', target: '/etc/real' }, SIGNAL);
    expect((await dry.read<'file'>({ kind: 'file', path: '/etc/l' }, SIGNAL))?.toString()).toBe('real');
    await dry.apply({ kind: 'link', path: '/etc/m', target: 'l' }, SIGNAL);
    expect(await joinErrorOf(() => dry.read({ kind: 'file', path: '/etc/l' }, SIGNAL))).toMatchObject({
      code: 'E_FILE',
      message: '/etc/l: too many links',
    });
  });

  test('a dry run sends changes of the cluster with dryRun=All only', async () => {
    const inner = serving();
    const dry = recordingHost(inner);
    const review = request({
      method: 'POST',
      ref: undefined,
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {},
    });
    const ofAnother = { ...patch, path: '/api/v1/nodes/w2', ref: nodeRef('w2') };
    for (const one of [request({}), review, post, ofAnother]) await dry.send(one, SIGNAL);
    expect(inner.sent.map(({ method, path, query }) => [method, path, query])).toEqual([
      ['GET', '/api/v1/nodes/w1', {}],
      ['POST', review.path, {}],
      ['GET', '/version', {}],
      ['POST', '/api/v1/nodes', { dryRun: 'All' }],
      ['PATCH', '/api/v1/nodes/w2', { dryRun: 'All' }],
    ]);
    expect(await recordingHost(inner).send(post, SIGNAL)).toEqual({ ...stored(post), dryRun: 'checked' });
  });

  test('a dry run remembers the objects that it would have changed', async () => {
    const storing = serving(({ body }) => ({ status: 201, body, clockSkewMs: 0 }));
    const { ports, changes } = portsOn(recordingHost(storing), [apiCalls(['get', 'create', 'patch'], 'nodes', 'x')]);
    const api = ports.kube.as(token);
    const node = { metadata: { name: 'w1', labels: { a: 'b' } } };
    expect(await api.create(nodeRef('w1'), node)).toMatchObject(node);
    expect(await api.create(nodeRef('w1'), node)).toBeUndefined();
    expect(await api.get(nodeRef('w1'))).toMatchObject(node);
    await api.patch(nodeRef('w1'), { spec: { podCIDR: '10.0.0.0/24' } });
    expect(await api.get(nodeRef('w1'))).toMatchObject({ ...node, spec: { podCIDR: '10.0.0.0/24' } });
    expect(changes).toMatchObject([
      { verb: 'create', checked: 'dry-run' },
      { verb: 'patch', checked: 'not-checked', why: 'the object does not exist yet' },
    ]);
  });

  test.each([
    ['12', '1', 'not checked'],
    ['12+', '1', 'not checked'],
    ['9', '1', 'not checked'],
    ['', '', 'not checked'],
    ['13', '1', 'checked'],
    ['28+', '1', 'checked'],
    ['0', '2', 'checked'],
  ])('a dry run against a server with minor version "%s" of %s is %s', async (minor, major, expected) => {
    const inner = memoryHost({ send: (sent) => (sent.path === '/version' ? version(minor, major) : stored(sent)) });
    const answer = await recordingHost(inner).send(post, SIGNAL);
    const mutations = inner.sent.filter(({ method }) => method !== 'GET');
    if (expected === 'checked') {
      expect(answer.dryRun).toBe('checked');
      expect(mutations.map(({ query }) => query)).toEqual([{ dryRun: 'All' }]);
    } else {
      expect(answer).toMatchObject({
        status: 201,
        dryRun: { unchecked: 'the server does not report version 1.13 or newer, and older ones cannot check' },
        body: { metadata: { name: 'w1', uid: 'stand-in' } },
      });
      expect(mutations).toEqual([]);
    }
  });

  test('a dry run asks for the version again after a failure', async () => {
    let asked = 0;
    const inner = memoryHost({
      send(sent) {
        if (sent.path === '/version' && ++asked === 1)
          throw fail('E_API_UNREACHABLE', { server: sent.server, what: 'reset' });
        return sent.path === '/version' ? version('20') : stored(sent);
      },
    });
    const dry = recordingHost(inner);
    expect(await joinErrorOf(() => dry.send(post, SIGNAL))).toMatchObject({ code: 'E_API_UNREACHABLE' });
    expect((await dry.send(post, SIGNAL)).dryRun).toBe('checked');
  });

  test('a dry run plans a change that an admission webhook cannot check, and says so', async () => {
    const refusal = {
      status: 400,
      body: { message: 'admission webhook "x" does not support dry run' },
      clockSkewMs: 0,
    };
    const { ports, changes } = portsOn(recordingHost(serving(() => refusal)), [
      apiCalls(['create', 'patch'], 'nodes', 'x'),
    ]);
    await ports.kube.as(token).create(nodeRef('w1'), { metadata: { name: 'w1' } });
    await ports.kube.as(token).patch(nodeRef('w2'), { metadata: {} });
    const unchecked = {
      kind: 'api',
      resource: 'nodes',
      checked: 'not-checked',
      why: 'an admission webhook of the cluster does not support dry runs',
    };
    expect(changes).toEqual([
      { ...unchecked, name: 'w1', verb: 'create' },
      { ...unchecked, name: 'w2', verb: 'patch' },
    ]);
  });

  test.each([401, 403, 409, 422])('a dry run passes the answer %i on', async (status) => {
    const answer = await recordingHost(serving(() => ({ status, body: { message: 'no' }, clockSkewMs: 0 }))).send(
      post,
      SIGNAL,
    );
    expect(answer.status).toBe(status);
  });

  const key = generateKeyPem();
  const csr: CsrObject = {
    metadata: { name: 'csr' },
    spec: {
      request: Buffer.from(createCsr(key, { commonName: 'system:node:w1', organizations: ['system:nodes'] })).toString(
        'base64',
      ),
      signerName: 's',
      usages: [],
    },
  };
  const standInFor = async (dry: Host): Promise<Identity> => {
    const done = (object: unknown) => (object as CsrObject).status?.certificate !== undefined;
    const signed = (await dry.wait(
      { kind: 'object', as: token, ref: csrRef('csr'), done, from: csr },
      SIGNAL,
    )) as CsrObject;
    const pem = Buffer.from(signed.status?.certificate ?? '', 'base64').toString();
    return { server: token.server, ca: 'CA', certificate: { pem, key: new Secret(key) } };
  };

  test('a dry run never waits: it gets a fitting certificate and a ready Node at once', async () => {
    const inner = serving(() => ({ status: 404, body: {}, clockSkewMs: 0 }));
    const dry = recordingHost(inner);
    const { certificate } = await standInFor(dry);
    const [leaf] = readCertificates(certificate?.pem ?? '');
    expect(leaf).toMatchObject({
      commonName: 'system:node:w1',
      organizations: ['system:nodes'],
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.2'],
    });
    const node = await dry.wait(
      { kind: 'object', as: token, ref: nodeRef('w1'), done: (found) => isReady(found as NodeObject), from: undefined },
      SIGNAL,
    );
    expect(node).toMatchObject({
      metadata: { name: 'w1', uid: 'stand-in', labels: { 'kubernetes.io/hostname': 'w1' } },
      status: { nodeInfo: { kubeletVersion: 'dry run' }, conditions: [{ type: 'Ready', status: 'True' }] },
    });
    expect(await dry.wait({ kind: 'healthy', service: 'kubelet', url: 'http://127.0.0.1:1' }, SIGNAL)).toBeUndefined();
  });

  test('a dry run uses an object that already exists', async () => {
    const real = {
      metadata: { name: 'w1', annotations: { a: 'b' } },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    };
    const dry = recordingHost(serving(() => ({ status: 200, body: real, clockSkewMs: 0 })));
    const wait = (done: (found: unknown) => boolean) =>
      dry.wait({ kind: 'object', as: token, ref: nodeRef('w1'), done, from: undefined }, SIGNAL);
    expect(await wait((found) => isReady(found as NodeObject))).toEqual(real);
    const later = await wait((found) => (found as NodeObject).status?.nodeInfo !== undefined);
    expect(later).toMatchObject({
      metadata: { annotations: { a: 'b' } },
      status: { nodeInfo: { kubeletVersion: 'dry run' } },
    });
  });

  test('a dry run is undecided about objects that cannot be foreseen', async () => {
    const dry = recordingHost(serving(() => ({ status: 404, body: {}, clockSkewMs: 0 })));
    const wait = (ref = configMapRef('ns', 'x'), done: (found: unknown) => boolean = () => true) =>
      joinErrorOf(() => dry.wait({ kind: 'object', as: token, ref, done, from: undefined }, SIGNAL));
    expect(await wait()).toMatchObject({
      code: 'E_UNDECIDED',
      message: 'a dry run cannot determine the final state of configmaps x',
    });
    expect(await wait(nodeRef('w1'), () => false)).toMatchObject({
      code: 'E_UNDECIDED',
      message: 'a dry run cannot determine when nodes w1 is done',
    });
    expect(await wait(csrRef('c'))).toMatchObject({ code: 'E_UNDECIDED' });
  });

  test('a dry run never sends anything with an identity that does not exist', async () => {
    const inner = serving();
    const dry = recordingHost(inner);
    const as = await standInFor(dry);
    inner.sent.length = 0;
    expect(await dry.send({ ...patch, as }, SIGNAL)).toEqual({
      status: 200,
      body: { metadata: { uid: 'stand-in', name: 'w1', labels: { a: 'b' } } },
      clockSkewMs: undefined,
      dryRun: { unchecked: 'the identity does not exist yet' },
    });
    expect(await joinErrorOf(() => dry.send({ ...request({}), as }, SIGNAL))).toMatchObject({ code: 'E_UNDECIDED' });
    expect(await joinErrorOf(() => dry.send({ ...post, ref: undefined, as }, SIGNAL))).toMatchObject({
      code: 'E_UNDECIDED',
    });
    await dry.wait({ kind: 'object', as, ref: nodeRef('w1'), done: () => true, from: undefined }, SIGNAL);
    expect(inner.sent).toEqual([]);
  });
});
