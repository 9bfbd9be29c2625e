/** The stand-in etcd of the sandbox, asked by the client that joins use with real members. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { EtcdClient } from '../../../engine/host/etcd/client.ts';
import { type EtcdAccess, Secret } from '../../../engine/sdk/index.ts';
import { type ClusterCa, createCa, issueKeyPair } from '../../../plugins/sandbox/certificates.ts';
import { type ControlPlaneSandbox, startControlPlaneSandbox } from '../../../plugins/sandbox/control-plane/index.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { rolesOf } from '../../helpers/etcd.ts';

const client = new EtcdClient(() => new Date());
const { signal } = new AbortController();

let sandbox: ControlPlaneSandbox;
let first: string;
beforeAll(async () => {
  sandbox = await startControlPlaneSandbox();
  first = sandbox.etcd.etcd.members[0]?.clientUrls[0] ?? '';
});
afterAll(() => sandbox.close());
afterEach(() => {
  const { etcd } = sandbox.etcd;
  for (const { name, peerUrls } of etcd.members)
    if (name !== 'control-plane-1') etcd.change('remove', peerUrls[0] ?? '');
});

const own = (): ClusterCa => ({
  name: { commonName: 'etcd-ca', organizations: [] },
  cert: sandbox.etcd.ca,
  key: sandbox.sharedFiles['/etc/kubernetes/pki/etcd/ca.key'] ?? '',
  pin: '',
  notAfter: new Date(Date.now() + 86_400_000),
});

function access(ca: ClusterCa = own()): EtcdAccess {
  const { cert, key } = issueKeyPair(ca, new Date(), { commonName: 'client', organizations: [] }, 'client');
  return { endpoints: [first], ca: sandbox.etcd.ca, certificate: { pem: cert, key: new Secret(key) } };
}

const refusalOf = async (act: () => Promise<unknown>): Promise<string> => {
  const error = await joinErrorOf(act);
  expect(error?.code).toBe('E_ETCD_REFUSED');
  return error?.message ?? '';
};

describe('the stand-in etcd', () => {
  test('it lists its first member, which is healthy', async () => {
    expect(await client.members(access(), signal)).toMatchObject([{ name: 'control-plane-1', isLearner: false }]);
    expect(await client.status(access(), first, signal)).toEqual({ version: '3.6.8', errors: [] });
  });

  test('it has no answer for a client whose certificate another CA has issued', async () => {
    const error = await joinErrorOf(() => client.members(access(createCa(new Date())), signal));
    expect(error?.code).toBe('E_ETCD_UNREACHABLE');
  });

  test('it takes in one learner at a time', async () => {
    await client.change(access(), 'add-learner', 'https://127.0.0.2:2380', signal);
    expect(rolesOf({ members: await client.members(access(), signal) })).toEqual([
      'control-plane-1 voter',
      '? learner',
    ]);
    const add = () => client.change(access(), 'add-learner', 'https://127.0.0.3:2380', signal);
    expect(await refusalOf(add)).toContain('too many learner members in cluster');
  });

  test('it promotes a learner only after the learner has received the data', async () => {
    const { etcd } = sandbox.etcd;
    const [peerUrl, clientUrl] = ['https://127.0.0.2:2380', 'https://127.0.0.2:2379'];
    await client.change(access(), 'add-learner', peerUrl, signal);
    const promoted = client.change(access(), 'promote', peerUrl, signal);
    const running = sandbox.etcd.joined(peerUrl, 'cp2', { clientUrl, server: { close: async () => undefined } });
    expect(() => etcd.change('promote', peerUrl)).toThrow('in sync with leader');
    await promoted;
    expect(rolesOf(etcd)).toEqual(['control-plane-1 voter', 'cp2 voter']);
    await running.stop();
    expect(await refusalOf(() => client.members(access(), signal))).toContain('no leader'); // one of two voters is left
  });

  test('it knows no member that was not added', async () => {
    expect(() => sandbox.etcd.joined('https://127.0.0.9:2380', 'cp9', { clientUrl: '', server: sandbox })).toThrow(
      'no member has the peer URL',
    );
  });
});
