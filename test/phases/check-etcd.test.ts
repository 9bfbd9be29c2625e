import { describe, expect, test } from 'vitest';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import checkEtcd from '../../phases/check-etcd/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import {
  clientUrl,
  etcdPodOf,
  healthcheck,
  input,
  rolesOf,
  type Scene,
  scene,
  unstarted,
  voter,
} from '../helpers/etcd.ts';
import { glimpseOf } from '../helpers/node.ts';

itKeepsThePhaseContract(checkEtcd, {
  input,
  machine: () => scene().machine,
  secrets: [glimpseOf(healthcheck.keyPem)],
  changesNothing: true,
});

async function checked({ machine, etcd }: Scene, inputs: object = {}) {
  const before = rolesOf(etcd);
  const outcome = await runPhase(checkEtcd, { ...input, ...inputs }, memoryHost(machine));
  expect(rolesOf(etcd)).toEqual(before);
  return { ...outcome, notes: outcome.result.steps[0]?.notes.map(({ level, text }) => `${level}: ${text}`) };
}

const three = [voter(1), voter(3), voter(4)];

describe('check-etcd', () => {
  test('check-etcd passes if all members are healthy, and says how many', async () => {
    const { error, notes } = await checked(scene({ members: three }));
    expect([error, notes]).toEqual([undefined, ['info: 3 of 3 voting members of etcd are healthy']]);
  });

  test('check-etcd passes with a majority, and warns of the member that does not answer', async () => {
    const { error, notes } = await checked(scene({ members: three, ill: { [clientUrl(4)]: 'silent' } }));
    expect(error).toBeUndefined();
    expect(notes?.[0]).toMatch(/^warn: etcd is not complete: cp4 at https:\/\/198.51.100.14:2380 does not answer \(/);
  });

  test.each([
    ['a member that does not answer', 'silent', /1 of 2 .* cp4 at https:\S+ does not answer \(/],
    ['a member with an alarm', ['NOSPACE'], /1 of 2 etcd members are healthy, .* cp4 at https:\S+ reports NOSPACE/],
  ] as const)('half of the members are not enough: %s', async (_, ill, message) => {
    const { error } = await checked(scene({ members: [voter(1), voter(4)], ill: { [clientUrl(4)]: ill } }));
    expect(error).toMatchObject({ code: 'E_ETCD_UNHEALTHY', message: expect.stringMatching(message), transient: true });
  });

  test('check-etcd names a member that another join added but did not start, and how to remove it', async () => {
    const { error } = await checked(scene({ members: [voter(1), unstarted(3)] }));
    expect(error).toMatchObject({
      code: 'E_ETCD_MEMBER',
      message: expect.stringContaining(`the etcd member ${unstarted(3).id} at https://198.51.100.13:2380`),
      hint: expect.stringContaining(`member remove ${unstarted(3).id}`),
      transient: true,
    });
  });

  test('a member of this machine that is only half added does not matter', async () => {
    expect((await checked(scene({ members: [voter(1), unstarted(2)] }))).error).toBeUndefined();
  });

  test('a member with the name of this machine at another address is refused, and not waited for', async () => {
    const { error } = await checked(scene({ members: [voter(1), { ...voter(3), name: 'cp2' }] }));
    expect(error).toMatchObject({ code: 'E_ETCD_MEMBER', transient: false });
  });

  test.each([
    ['no Pod', [], 'the cluster has no Pod of etcd'],
    ['a Pod without an address', [etcdPodOf(1), { metadata: { name: 'etcd-cp3' } }], 'Pod etcd-cp3 has no annotation'],
  ])('members that cannot be found are waited for: %s', async (_, pods, message) => {
    const { error } = await checked(scene({}, pods));
    expect(error).toMatchObject({
      code: 'E_ETCD_ENDPOINTS',
      message: expect.stringContaining(message),
      transient: true,
    });
  });

  test('a client certificate that is missing is named', async () => {
    const { machine, ...rest } = scene();
    const { '/etc/kubernetes/pki/etcd/healthcheck-client.key': _, ...files } = machine.files ?? {};
    const { error } = await checked({ ...rest, machine: { ...machine, files } });
    expect(error).toMatchObject({
      code: 'E_CONTROL_PLANE_CERTIFICATES',
      message: expect.stringContaining('/etc/kubernetes/pki/etcd/healthcheck-client.key does not exist'),
    });
  });

  test('with an external etcd, nothing is asked', async () => {
    const external = { external: { endpoints: ['https://etcd.test:2379'] } };
    const stage = scene();
    const clusterConfiguration = { ...input.clusterConfiguration, etcd: external };
    const { error, notes } = await checked(stage, { clusterConfiguration });
    expect(error).toBeUndefined();
    expect(notes?.[0]).toContain('etcd is external');
  });
});
