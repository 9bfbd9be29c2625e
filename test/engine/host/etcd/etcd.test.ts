import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtcdClient } from '../../../../engine/host/etcd/client.ts';
import { joinErrorOf } from '../../../helpers/errors.ts';
import { EtcdServers, hasEtcd, type RunningMember } from '../../../helpers/etcd-server.ts';

const client = new EtcdClient(() => new Date());
const { signal } = new AbortController();

describe.skipIf(!hasEtcd)('the client of etcd, against real members', () => {
  let servers: EtcdServers;
  let first: RunningMember;
  const access = () => ({ ...servers.access, endpoints: [first.clientUrl] });
  const rolesOf = async () =>
    (await client.members(access(), signal)).map(
      ({ name, isLearner }) => `${name || '?'} ${isLearner ? 'learner' : 'voter'}`,
    );

  beforeAll(async () => {
    servers = new EtcdServers();
    first = await servers.plan('cp1');
    await servers.start(first);
    await client.waitFor({ kind: 'etcd', access: access(), until: 'healthy', at: first.clientUrl }, signal);
  });
  afterAll(() => servers.end());

  test('it lists the members and reads the status of one', async () => {
    const [member] = await client.members(access(), signal);
    expect(member).toMatchObject({ name: 'cp1', peerUrls: [first.peerUrl], clientUrls: [first.clientUrl] });
    expect(member?.id).toMatch(/^[0-9a-f]{8,16}$/);
    expect(await client.status(access(), first.clientUrl, signal)).toEqual({
      version: expect.stringMatching(/^3\./),
      errors: [],
    });
  });

  test('a member joins as a learner, is promoted when it is in sync, and leaves again', {
    timeout: 60_000,
  }, async () => {
    const second = await servers.plan('cp2');
    await client.change(access(), 'add-learner', second.peerUrl, signal);
    await client.change(access(), 'add-learner', second.peerUrl, signal); // a second time changes nothing
    expect((await rolesOf()).sort()).toEqual(['? learner', 'cp1 voter']);

    const third = await servers.plan('cp3');
    expect(await joinErrorOf(() => client.change(access(), 'add-learner', third.peerUrl, signal))).toMatchObject({
      code: 'E_ETCD_REFUSED',
      message: expect.stringContaining('too many learner members in cluster'),
      transient: true,
    });

    const promoted = client.change(access(), 'promote', second.peerUrl, signal); // refused until it has caught up
    await servers.start(second);
    await client.waitFor({ kind: 'etcd', access: access(), until: 'started', at: second.peerUrl }, signal);
    await promoted;
    expect((await rolesOf()).sort()).toEqual(['cp1 voter', 'cp2 voter']);
    await client.change(access(), 'promote', second.peerUrl, signal); // a voter is a success
    await client.waitFor({ kind: 'etcd', access: access(), until: 'healthy', at: second.clientUrl }, signal);

    await client.change(access(), 'remove', second.peerUrl, signal); // refused until etcd counts the member as healthy
    await client.change(access(), 'remove', second.peerUrl, signal);
    expect(await rolesOf()).toEqual(['cp1 voter']);
  });

  test('an endpoint that is not there is skipped, and the error names each with its reason', async () => {
    const gone = await servers.plan('gone');
    const endpoints = [gone.clientUrl, first.clientUrl];
    expect(await client.members({ ...servers.access, endpoints }, signal)).toHaveLength(1);
    const error = await joinErrorOf(() => client.members({ ...servers.access, endpoints: [gone.clientUrl] }, signal));
    expect(error.code).toBe('E_ETCD_UNREACHABLE');
    expect(error.message).toContain(`${gone.clientUrl}: nothing listens there (ECONNREFUSED`);
  });

  test('a server that accepts connections and stays silent costs two seconds', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const begun = Date.now();
    const endpoints = [`https://127.0.0.1:${port}`];
    const error = await joinErrorOf(() => client.members({ ...servers.access, endpoints }, signal));
    silent.close();
    expect(error.message).toContain('no connection within 2 s');
    expect(Date.now() - begun).toBeLessThan(3_000);
  });

  test('a client certificate of another CA is refused, and so is a server of another CA', async () => {
    const stranger = { ...servers.stranger(), endpoints: [first.clientUrl] };
    expect((await joinErrorOf(() => client.members(stranger, signal))).message).toMatch(/bad certificate|unknown ca/i);
    const other = new EtcdServers();
    const foreign = { ...access(), ca: other.access.ca };
    expect((await joinErrorOf(() => client.members(foreign, signal))).message).toMatch(/certificate/);
    await other.end();
  });

  test('an aborted call ends at once with the reason', async () => {
    const abort = new AbortController();
    const gone = await servers.plan('gone');
    const wait = client.waitFor(
      {
        kind: 'etcd',
        access: { ...servers.access, endpoints: [gone.clientUrl] },
        until: 'healthy',
        at: gone.clientUrl,
      },
      abort.signal,
    );
    abort.abort(new Error('enough'));
    await expect(wait).rejects.toThrow();
  });
});
