/** `reset` on a control plane that kubeadm has joined: its manifests are those that kubeadm 1.36 wrote. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../engine/host/changes/index.ts';
import { type EtcdMember, fail } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import reset from '../../phases/reset/index.ts';
import { issue } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { clientUrl, healthcheck, peerUrl, rolesOf, type Scene, scene, unstarted, voter } from '../helpers/etcd.ts';
import { glimpseOf, heldIdentity } from '../helpers/node.ts';

const golden = (name: string): string =>
  readFileSync(`${import.meta.dirname}/golden/control-plane-1.36/manifests/${name}.yaml`, 'utf8');
const MANIFESTS = '/etc/kubernetes/manifests';
const ETCD = `${MANIFESTS}/etcd.yaml`;
const API_SERVER = `${MANIFESTS}/kube-apiserver.yaml`;
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/joinery-etcd';
const DATA = '/var/lib/etcd/member/snap/db';
const three = [voter(1), voter(2), voter(3)];
const { signal } = new AbortController();

interface Changes {
  members?: EtcdMember[];
  ill?: Record<string, 'silent'>;
  /** A value of undefined removes a file. */
  files?: Record<string, string | undefined>;
  send?: NonNullable<MemoryMachine['send']>;
}

function controlPlane({ members = three, ill = {}, files = {}, send }: Changes = {}): Scene {
  const stage = scene({ members, ill });
  const { cluster, machine } = stage;
  cluster.answers.set('PATCH /api/v1/nodes/cp2/status', cluster.answer(200, { metadata: { name: 'cp2' } }));
  const identity = heldIdentity('https://198.51.100.12:6443', cluster.ca.pem, issue(cluster.ca, { user: USER }));
  const all = {
    ...machine.files,
    ...identity,
    [ETCD]: golden('etcd'),
    [API_SERVER]: golden('kube-apiserver'),
    [DATA]: 'data',
    '/etc/kubernetes/pki/sa.key': 'key',
    ...files,
  };
  const kept = Object.fromEntries(
    Object.entries(all).flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])),
  );
  return { ...stage, machine: { ...machine, files: kept, send: send ?? cluster.send } };
}
const USER = 'system:node:cp2';

itKeepsThePhaseContract(reset, {
  input: {},
  machine: () => ({ ...controlPlane().machine, podSandboxes: [] }),
  secrets: [glimpseOf(healthcheck.keyPem)],
  goesOn: true,
});

async function resetOf({ machine, etcd, cluster }: Scene, input: object = {}) {
  const host = memoryHost(machine);
  const outcome = await runPhase(reset, { ...input }, host);
  const lease = cluster.objects.get(LEASE) as { spec?: { holderIdentity?: string | null } } | undefined;
  const exists = async (path: string) => (await host.read<'stat'>({ kind: 'stat', path }, signal)) !== undefined;
  const notes = outcome.result.steps[0]?.notes.map(({ level, text }) => `${level}: ${text}`) ?? [];
  return { ...outcome, notes, roles: rolesOf(etcd), lease, exists };
}

function shortOf(change: Change | object): string {
  const { kind, action, path, pod, name } = change as Record<string, unknown>;
  return [kind, action, path ?? pod ?? name].filter(Boolean).join(' ');
}

describe('reset of a control plane', () => {
  test('the member leaves etcd, and then the static Pods go, the data of etcd, manifests and keys', async () => {
    const { error, changes, roles, lease, exists } = await resetOf(controlPlane());
    expect(error).toBeUndefined();
    expect(roles).toEqual(['cp1 voter', 'cp3 voter']);
    expect(lease?.spec?.holderIdentity).toBeNull();
    expect(changes.map(shortOf)).toEqual([
      'api joinery-etcd',
      'etcd-member remove',
      'api joinery-etcd',
      'service stop kubelet',
      'api cp2',
      'pod-sandbox default/etcd-of-a-user',
      'pod-sandbox kube-system/kube-apiserver-cp2',
      'pod-sandbox kube-system/etcd-cp2',
      'remove-tree /var/lib/etcd/member',
      `remove-tree ${ETCD}`,
      `remove-tree ${API_SERVER}`,
      'remove-tree /etc/kubernetes/admin.conf',
      'remove-tree /etc/kubernetes/kubelet.conf',
      'remove-tree /var/lib/kubelet/pki',
      'remove-tree /etc/kubernetes/pki/etcd',
      'remove-tree /etc/kubernetes/pki/sa.key',
    ]);
    expect(await exists('/var/lib/etcd')).toBe(true);
  });

  test('the API server of the cluster marks the Node, because that of this machine has lost its etcd', async () => {
    const servers: string[] = [];
    const stage = controlPlane();
    const { send } = stage.machine;
    stage.machine.send = (request) => {
      if (request.path.endsWith('/nodes/cp2/status')) servers.push(request.server);
      return send?.(request) ?? stage.cluster.answer(404, {});
    };
    expect((await resetOf(stage)).error).toBeUndefined();
    expect(servers).toEqual(['https://cluster.test:6443']);
  });

  test('a member that would cost etcd its quorum stays, and nothing is changed; the hint names the price', async () => {
    const stage = controlPlane({ ill: { [clientUrl(3)]: 'silent' } });
    const { error, changes, roles, exists } = await resetOf(stage);
    expect(error).toMatchObject({
      code: 'E_ETCD_QUORUM',
      exitCode: 5,
      message: expect.stringMatching(/cp2 at https:\S+ cannot be removed, .* cp3 at https:\S+ does not answer/),
      hint: expect.stringMatching(/the cluster takes no writes .*: join reset --ignore-etcd-member$/),
    });
    expect(changes.map(shortOf)).toEqual(['api joinery-etcd', 'api joinery-etcd']); // the lease, taken and released
    expect([roles.length, await exists(DATA), await exists(ETCD)]).toEqual([3, true, true]);
  });

  test('a member whose removal would leave only a learner stays', async () => {
    const { error } = await resetOf(controlPlane({ members: [voter(2), unstarted(3)] }));
    expect(error).toMatchObject({ code: 'E_ETCD_QUORUM', message: expect.stringContaining('none of the other') });
  });

  test('with --ignore-etcd-member, a warning names the member that stays, and the machine is reset', async () => {
    const stage = controlPlane({ ill: { [clientUrl(3)]: 'silent' } });
    const { error, roles, notes, exists } = await resetOf(stage, { ignoreEtcdMember: true });
    expect([error, roles.length]).toEqual([undefined, 3]);
    expect(notes.join('\n')).toMatch(
      /warn: the member at https:\/\/198.51.100.12:2380 stays in etcd, .*member remove ID/,
    );
    expect([await exists(DATA), await exists(ETCD)]).toEqual([false, false]);
  });

  test('if the etcd of this machine does not answer, the others remove its member', async () => {
    const { error, roles } = await resetOf(controlPlane({ ill: { [clientUrl(2)]: 'silent' } }));
    expect([error, roles]).toEqual([undefined, ['cp1 voter', 'cp3 voter']]);
  });

  const silent = { [clientUrl(1)]: 'silent', [clientUrl(2)]: 'silent', [clientUrl(3)]: 'silent' } as const;
  const unreachable = () => Promise.reject(fail('E_API_UNREACHABLE', { server: 'https://x:1', what: 'refused' }));

  test.each<[string, Changes, RegExp]>([
    ['no member answers', { ill: silent }, /no member of etcd answers: https:\/\/198.51.100.11:2379/],
    ['neither etcd nor the API server answer', { ill: silent, send: unreachable }, /https:\/\/x:1/],
    [
      'a client certificate is missing',
      { files: { '/etc/kubernetes/pki/etcd/healthcheck-client.key': undefined } },
      /healthcheck-client.key does not exist/,
    ],
    ['the manifest is damaged', { files: { [ETCD]: 'a: [' } }, /manifests\/etcd.yaml cannot be read/],
    ['the manifest has no etcd', { files: { [ETCD]: 'spec: {}' } }, /etcd.yaml cannot be read: it has no container/],
  ])('nothing is changed if %s, unless the member is ignored', async (_, changed, message) => {
    const { error, roles, exists } = await resetOf(controlPlane(changed));
    expect(error).toMatchObject({
      code: 'E_RESET_ETCD',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('join reset --ignore-etcd-member'),
    });
    expect([roles.length, await exists(DATA), await exists(ETCD)]).toEqual([3, true, true]);
    const forced = await resetOf(controlPlane(changed), { ignoreEtcdMember: true });
    expect([forced.error, await forced.exists(ETCD)]).toEqual([undefined, false]);
    expect(forced.notes.some((note) => note.startsWith('warn: '))).toBe(true);
  });

  test('while etcd answers and no API server does, the member leaves without the lease, with a warning', async () => {
    const { error, roles, notes } = await resetOf(controlPlane({ send: unreachable }));
    expect([error, roles]).toEqual([undefined, ['cp1 voter', 'cp3 voter']]);
    expect(notes.join('\n')).toMatch(/warn: the members of etcd change without a reservation/);
  });

  test('while another control plane joins, nothing is changed, also if the member is ignored', async () => {
    const stage = controlPlane();
    const spec = { holderIdentity: 'cp4', leaseDurationSeconds: 60, renewTime: stage.machine.now?.().toISOString() };
    stage.cluster.objects.set(LEASE, { metadata: { name: 'joinery-etcd' }, spec } as never);
    const { error, changes } = await resetOf(stage, { ignoreEtcdMember: true });
    expect([error, changes]).toEqual([expect.objectContaining({ code: 'E_CONTROL_PLANE_BUSY' }), []]);
  });

  test('the only member stays in etcd, and a warning says that the data of the cluster are deleted', async () => {
    const { error, notes, roles, exists } = await resetOf(controlPlane({ members: [voter(2)] }));
    expect([error, roles]).toEqual([undefined, ['cp2 voter']]);
    expect(notes).toContainEqual(expect.stringMatching(/^warn: .* the only member of etcd: all data of the cluster/));
    expect(await exists(DATA)).toBe(false);
  });

  test('a reset that was interrupted after its member had left is completed', async () => {
    const { error, notes, exists } = await resetOf(controlPlane({ members: [voter(1), voter(3)] }));
    expect([error, await exists(DATA)]).toEqual([undefined, false]);
    expect(notes).toContainEqual(`info: etcd has no member at ${peerUrl(2)}, so no member has to leave`);
  });

  test('without a manifest of etcd, the learner of a join that failed leaves, and data stay', async () => {
    const stage = controlPlane({ members: [voter(1), unstarted(2)], files: { [ETCD]: undefined } });
    const { error, roles, notes, exists } = await resetOf(stage);
    expect([error, roles, await exists(DATA)]).toEqual([undefined, ['cp1 voter'], true]);
    expect(notes).toContainEqual(expect.stringContaining('To delete them: rm -r /var/lib/etcd'));
  });

  test('with an external etcd, nothing leaves it, and its data on this machine stay', async () => {
    const external = golden('kube-apiserver').replace('https://127.0.0.1:2379', 'https://etcd.test:2379');
    const stage = controlPlane({ files: { [ETCD]: undefined, [API_SERVER]: external } });
    const { error, roles, exists } = await resetOf(stage);
    expect([error, roles.length, await exists(DATA), await exists(API_SERVER)]).toEqual([undefined, 3, true, false]);
  });

  test('a data directory elsewhere is emptied only if the flag names it', async () => {
    const elsewhere = () =>
      controlPlane({
        files: { [ETCD]: golden('etcd').replaceAll('/var/lib/etcd', '/data/etcd'), '/data/etcd/wal': '' },
      });
    const { error, changes } = await resetOf(elsewhere());
    expect([error, changes]).toEqual([
      expect.objectContaining({
        code: 'E_RESET_ETCD_DATA',
        hint: expect.stringContaining('--etcd-data-dir /data/etcd'),
      }),
      [],
    ]);
    const named = await resetOf(elsewhere(), { etcdDataDir: '/data/etcd' });
    expect([named.error, await named.exists('/data/etcd/wal'), await named.exists(DATA)]).toEqual([
      undefined,
      false,
      true,
    ]);
  });

  test('certificates in a directory of their own stay, and a warning names it', async () => {
    const manifest = golden('etcd').replaceAll('/etc/kubernetes/pki', '/srv/pki');
    const { machine } = controlPlane();
    const files = Object.fromEntries(
      ['ca.crt', 'healthcheck-client.crt', 'healthcheck-client.key'].map((name) => [
        `/srv/pki/etcd/${name}`,
        machine.files?.[`/etc/kubernetes/pki/etcd/${name}`],
      ]),
    );
    const { error, roles, notes } = await resetOf(controlPlane({ files: { ...files, [ETCD]: manifest } }));
    expect([error, roles]).toEqual([undefined, ['cp1 voter', 'cp3 voter']]);
    expect(notes).toContainEqual(expect.stringContaining('To delete them: rm -r /srv/pki'));
  });
});
