import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../../plugins/sandbox/index.ts';
import { type Ask, admin, ask, CLUSTER_INFO, CSRS, csrObject, firstEvent, NODES, nodeObject, watch } from './client.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ autoApprove: false });
});
afterAll(() => sandbox.close());

const asAdmin = (path: string, how: Ask = {}) => ask(sandbox, path, { identity: admin(sandbox), ...how });
const register = (name: string, changes = {}) => asAdmin(NODES, { method: 'POST', body: nodeObject(name, changes) });
const collect = async (path: string) => {
  const events = [];
  for await (const event of watch(sandbox, path, { identity: admin(sandbox) })) events.push(event);
  return events;
};

describe('an object', () => {
  test('a new object gets a uid, a version and a time from the server', async () => {
    const { json } = await register('a1');
    expect(json.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(json.metadata.resourceVersion)).toBe(sandbox.store.resourceVersion);
    expect(json.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });
  test('an object of a machine has the empty fields that Go writes', async () => {
    const { json } = await register('a6');
    expect(json).toMatchObject({ spec: {}, status: { nodeInfo: { kubeletVersion: '' } } });
  });
  test('an update from an old version does not overwrite a newer object', async () => {
    const { json } = await register('a2');
    const body = { ...json, metadata: { ...json.metadata, labels: { x: 'y' } } };
    expect((await asAdmin(`${NODES}/a2`, { method: 'PUT', body })).code).toBe(200);
    const stale = await asAdmin(`${NODES}/a2`, { method: 'PUT', body });
    expect({ code: stale.code, reason: stale.json.reason }).toEqual({ code: 409, reason: 'Conflict' });
    expect(stale.json.message).toBe(
      'Operation cannot be fulfilled on nodes "a2": the object has been modified; please apply your changes to the latest version and try again',
    );
  });
  test('writing an unchanged object keeps its version', async () => {
    const { json } = await register('a3');
    const again = await asAdmin(`${NODES}/a3`, { method: 'PUT', body: json });
    expect(again.json.metadata.resourceVersion).toBe(json.metadata.resourceVersion);
  });
  test('a write keeps the status of an object, and a write of the status keeps its spec', async () => {
    const { json } = await register('a4', { spec: { podCIDR: '10.0.0.0/24' }, status: { phase: 'first' } });
    const body = { ...json, spec: { unschedulable: true }, status: { phase: 'second' } };
    const put = await asAdmin(`${NODES}/a4`, { method: 'PUT', body });
    expect(put.json).toMatchObject({ spec: { unschedulable: true }, status: { phase: 'first' } });
    const status = await asAdmin(`${NODES}/a4/status`, {
      method: 'PUT',
      body: { ...body, spec: {}, metadata: { name: 'a4' } },
    });
    expect(status.json).toMatchObject({ spec: { unschedulable: true }, status: { phase: 'second' } });
  });
  test('deleting an object removes it, unless its uid has changed', async () => {
    const { json } = await register('a5');
    const other = { preconditions: { uid: 'another' } };
    expect((await asAdmin(`${NODES}/a5`, { method: 'DELETE', body: other })).code).toBe(409);
    const deleted = await asAdmin(`${NODES}/a5`, { method: 'DELETE' });
    expect(deleted.json).toMatchObject({
      status: 'Success',
      details: { name: 'a5', kind: 'nodes', uid: json.metadata.uid },
    });
    expect((await asAdmin(`${NODES}/a5`)).code).toBe(404);
  });
  test.each([
    ['a name with capitals', nodeObject('W1'), 422],
    ['no name', { metadata: {} }, 422],
    ['another kind', { kind: 'Pod', metadata: { name: 'x' } }, 400],
    ['a body that is not JSON', 'not json', 400],
  ])('an object with %s is refused', async (_, body, code) => {
    expect((await asAdmin(NODES, { method: 'POST', body })).code).toBe(code);
  });
});

describe('a patch', () => {
  const patch = (name: string, type: string, body: object, part = '') =>
    asAdmin(`${NODES}/${name}${part}`, {
      method: 'PATCH',
      headers: { 'Content-Type': `application/${type}-patch+json` },
      body,
    });
  const conditions = [
    { type: 'Ready', status: 'False' },
    { type: 'DiskPressure', status: 'False' },
  ];

  test('a merge patch sets, adds and removes fields', async () => {
    await register('p1');
    await patch('p1', 'merge', { metadata: { labels: { a: '1', b: '2' } } });
    const { json } = await patch('p1', 'merge', { metadata: { labels: { a: null } } });
    expect(json.metadata.labels).toEqual({ 'kubernetes.io/hostname': 'p1', b: '2' });
  });
  test('a strategic merge patch merges conditions by type', async () => {
    await register('p2', { status: { conditions } });
    const body = {
      status: { '$setElementOrder/conditions': [{ type: 'Ready' }], conditions: [{ type: 'Ready', status: 'True' }] },
    };
    const { json } = await patch('p2', 'strategic-merge', body, '/status');
    expect(json.status).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }, conditions[1]] });
  });
  test('a merge patch replaces conditions', async () => {
    await register('p3', { status: { conditions } });
    const { json } = await patch('p3', 'merge', { status: { conditions: [] } }, '/status');
    expect(json.status).toMatchObject({ conditions: [] });
  });
  test('a patch from an old version is a conflict', async () => {
    await register('p4');
    const { code } = await patch('p4', 'merge', { metadata: { resourceVersion: '1', labels: { a: '1' } } });
    expect(code).toBe(409);
  });
  test('a patch of another type is refused with 415', async () => {
    await register('p5');
    expect((await patch('p5', 'json', [])).code).toBe(415);
  });
});

describe('a dry run', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'a dry run of %s answers like the real request, and stores nothing',
    async (method) => {
      const name = `d-${method.toLowerCase()}`;
      const before = method === 'POST' ? undefined : (await register(name)).json;
      const version = sandbox.store.resourceVersion;
      const headers = method === 'PATCH' ? { 'Content-Type': 'application/merge-patch+json' } : {};
      const path = method === 'POST' ? NODES : `${NODES}/${name}`;
      const body = method === 'DELETE' ? {} : nodeObject(name, { spec: { unschedulable: true } });
      const { code, json } = await asAdmin(`${path}?dryRun=All`, { method, headers, body });
      expect(code).toBe(method === 'POST' ? 201 : 200);
      if (method !== 'DELETE')
        expect(json).toMatchObject({ metadata: { name, uid: expect.any(String) }, spec: { unschedulable: true } });
      expect(sandbox.store.resourceVersion).toBe(version);
      expect(sandbox.store.get('nodes', name)).toEqual(before);
    },
  );
  test('a dry run refuses what the real request would refuse', async () => {
    await register('d-taken');
    expect((await asAdmin(`${NODES}?dryRun=All`, { method: 'POST', body: nodeObject('d-taken') })).code).toBe(409);
    const how = { method: 'POST', token: sandbox.token, body: csrObject('w1', { spec: { usages: [] } }) };
    expect((await ask(sandbox, `${CSRS}?dryRun=All`, how)).code).toBe(422);
    expect((await ask(sandbox, `${NODES}?dryRun=All`, { ...how, body: nodeObject('w1') })).code).toBe(403);
    expect((await ask(sandbox, `${CSRS}?dryRun=All`, { ...how, token: 'aaaaaa.0123456789abcdef' })).code).toBe(401);
  });
  test('an unknown value of dryRun is invalid', async () => {
    const { code, json } = await asAdmin(`${NODES}?dryRun=some`, { method: 'POST', body: nodeObject('d-some') });
    expect(code).toBe(422);
    expect(json.message).toBe(
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: "some": supported values: "All"',
    );
  });
});

describe('a list', () => {
  test('a list has a version to watch from, and its items do not repeat their kind', async () => {
    await register('l1');
    const { json } = await asAdmin(NODES);
    expect(json).toMatchObject({
      kind: 'NodeList',
      apiVersion: 'v1',
      metadata: { resourceVersion: String(sandbox.store.resourceVersion) },
    });
    expect(json.items?.[0]).not.toHaveProperty('kind');
  });
  test('a list selects by fields and labels', async () => {
    const names = async (query: string) =>
      (await asAdmin(`${NODES}?${query}`)).json.items?.map(({ metadata }) => metadata.name);
    await register('l2', { metadata: { name: 'l2', labels: { zone: 'a' } } });
    await register('l3', { metadata: { name: 'l3', labels: { zone: 'b' } } });
    expect(await names('fieldSelector=metadata.name%3Dl2')).toEqual(['l2']);
    expect(await names('labelSelector=zone')).toEqual(['l2', 'l3']);
    expect(await names('labelSelector=zone%3Da')).toEqual(['l2']);
    expect(await names('labelSelector=zone,zone!%3Da')).toEqual(['l3']);
  });
  test('a list of exactly an old version is refused with 410', async () => {
    const { code, json } = await asAdmin(`${NODES}?resourceVersion=1&resourceVersionMatch=Exact`);
    expect({ code, reason: json.reason }).toEqual({ code: 410, reason: 'Expired' });
  });
});

describe('a watch', () => {
  test('a watch without a version begins with the existing objects', async () => {
    await register('w1');
    const event = await firstEvent(
      watch(sandbox, NODES, { identity: admin(sandbox) }),
      ({ object }) => object.metadata.name === 'w1',
    );
    expect(event).toMatchObject({ type: 'ADDED', object: { kind: 'Node', apiVersion: 'v1' } });
  });
  test.concurrent('a watch of one name reports only that object, until it is deleted', async () => {
    const version = sandbox.store.resourceVersion;
    const events = collect(`${NODES}?fieldSelector=metadata.name=w2&resourceVersion=${version}&timeoutSeconds=1`);
    await register('other');
    await register('w2');
    await asAdmin(`${NODES}/w2`, { method: 'DELETE' });
    expect((await events).map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual([
      'ADDED w2',
      'DELETED w2',
    ]);
  });
  test.concurrent('a watch by label reports objects that begin or cease to match', async () => {
    const node = sandbox.store.create('nodes', { metadata: { name: 'w3' } });
    const since = node.metadata.resourceVersion;
    const labelled = sandbox.store.update('nodes', { ...node, metadata: { ...node.metadata, labels: { hot: 'yes' } } });
    sandbox.store.update('nodes', { ...labelled, metadata: { ...labelled.metadata, labels: {} } });
    const events = await collect(`${NODES}?labelSelector=hot%3Dyes&resourceVersion=${since}&timeoutSeconds=1`);
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'DELETED']);
  });
  test.concurrent('a watch with bookmarks ends with a bookmark of the newest version', async ({ expect }) => {
    const since = sandbox.store.resourceVersion;
    const limits = `resourceVersion=${since}&timeoutSeconds=1&allowWatchBookmarks=true`;
    const [bookmark, ...others] = await collect(`${NODES}?fieldSelector=metadata.name=absent&${limits}`);
    expect(others).toEqual([]);
    expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'Node', apiVersion: 'v1' } });
    expect(Number(bookmark?.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(since);
  });
  test('a watch from an expired version answers with one error, 410 Expired', async () => {
    const other = await startSandbox();
    other.store.compact();
    other.store.create('nodes', { metadata: { name: 'x' } });
    const events = [];
    for await (const event of watch(other, `${NODES}?resourceVersion=1`, { identity: admin(other) }))
      events.push(event);
    expect(events).toEqual([
      { type: 'ERROR', object: expect.objectContaining({ kind: 'Status', code: 410, reason: 'Expired' }) },
    ]);
    await other.close();
  });
  test('the server ends a watch when the client hangs up', async () => {
    const events = watch(sandbox, NODES, { identity: admin(sandbox) });
    await events.next();
    await events.return(undefined);
    expect((await register('w5')).code).toBe(201);
  });
});

describe('the server', () => {
  test('the server accepts at most 1 MiB', async () => {
    const body = JSON.stringify(nodeObject('huge', { spec: { padding: 'x'.repeat(1 << 20) } }));
    const { code, json } = await asAdmin(NODES, { method: 'POST', body });
    expect({ code, reason: json.reason }).toEqual({ code: 413, reason: 'RequestEntityTooLarge' });
  });
  test.each([
    ['PUT', NODES, 405],
    ['DELETE', NODES, 405],
    ['POST', '/api/v1/configmaps', 405],
    ['GET', '/api/v1/widgets', 404],
    ['GET', `${NODES}/x/proxy`, 404],
    ['GET', '/nowhere', 404],
    ['POST', '/api/v1/namespaces/none/configmaps', 404],
    ['GET', '/api/v1/nodes/%zz', 400],
  ])('the server answers %s %s with %i', async (method, path, code) => {
    const body = method === 'POST' ? { metadata: { name: 'x' } } : undefined;
    expect((await asAdmin(path, { method, ...(body && { body }) })).code).toBe(code);
  });
  test('changing a returned object does not change the stored one', () => {
    const info = sandbox.store.get('configmaps', 'cluster-info', 'kube-public');
    expect(() => Object.assign(info?.metadata ?? {}, { name: 'x' })).toThrow(TypeError);
  });
  test('the server answers anonymous readers over successive connections', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => ask(sandbox, CLUSTER_INFO)));
    expect(new Set(all.map(({ code }) => code))).toEqual(new Set([200]));
  });
});
