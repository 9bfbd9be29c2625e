import { describe, expect, test } from 'vitest';
import { paths } from '../../engine/node/index.ts';
import { fail } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import doctor from '../../phases/doctor/index.ts';
import { issue, SERVER, TOKEN, TOKEN_SECRET } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { asking, cluster, examined, joined, own, problems, ready, written } from '../helpers/doctor.ts';
import { glimpseOf, heldIdentity, kubeletConf } from '../helpers/node.ts';

describe('doctor on a joined machine', () =>
  itKeepsThePhaseContract(doctor, {
    input: {},
    machine: joined,
    secrets: [glimpseOf(own.keyPem)],
    changesNothing: true,
    goesOn: true,
  }));
describe('doctor on a machine with an unfinished join', () =>
  itKeepsThePhaseContract(doctor, {
    input: asking,
    machine: () => joined({ files: {} }),
    changesNothing: true,
    goesOn: true,
    secrets: [TOKEN_SECRET],
  }));

describe('doctor', () => {
  test('doctor reports that everything is ok on a joined machine', async () => {
    expect(await examined(joined())).toEqual([
      {
        check: 'identity',
        state: 'ok',
        what: 'this machine is w1 in https://api.example:6443; its certificate expires on 2027-03-04',
      },
      { check: 'files', state: 'ok', what: 'all files of a join exist' },
      { check: 'kubelet', state: 'ok', what: 'its service is running' },
      {
        check: 'api-server',
        state: 'ok',
        what: "https://api.example:6443 answers and accepts this machine's certificate",
      },
      { check: 'clock', state: 'ok', what: 'in sync with the API server' },
      { check: 'node', state: 'ok', what: 'w1 is Ready' },
    ]);
  });

  test('doctor reports that a machine has not joined, without a request', async () => {
    const host = memoryHost(joined({ files: {}, services: { kubelet: {} } }));
    const { result } = await runPhase(doctor, {}, host);
    expect(result.steps[0]?.outputs).toEqual({
      findings: [
        { check: 'identity', state: 'note', what: 'this machine has not joined a cluster' },
        { check: 'kubelet', state: 'note', what: 'its service is not running (expected before a join)' },
      ],
    });
    expect(host.sent).toEqual([]);
  });

  const without = (path: string): Record<string, string> =>
    Object.fromEntries(Object.entries(written).filter(([each]) => each !== path));
  test.each<[string, MemoryMachine, object[]]>([
    [
      'an expired certificate',
      {
        files: {
          ...written,
          ...heldIdentity(SERVER, cluster.ca.pem, issue(cluster.ca, { notAfter: new Date('2026-03-01') })),
        },
      },
      [
        {
          check: 'identity',
          state: 'problem',
          what: 'the certificate of w1 expired on 2026-03-01',
          next: 'check the clock with date -u; if it is right, run the join command again',
        },
      ],
    ],
    [
      "an identity that is not a node's",
      { files: { ...written, ...heldIdentity(SERVER, cluster.ca.pem, issue(cluster.ca, { user: 'admin' })) } },
      [
        {
          check: 'identity',
          state: 'problem',
          what: 'its certificate does not belong to a node',
          next: 'to be able to join again: join reset',
        },
      ],
    ],
    [
      'a kubelet.conf without its certificate',
      { files: without(paths.kubeletCurrentPem) },
      [
        {
          check: 'identity',
          state: 'problem',
          next: 'to be able to join again: join reset',
          what: '/etc/kubernetes/kubelet.conf exists, but without a usable certificate and key',
        },
      ],
    ],
    [
      'a kubelet that does not have its certificate yet',
      { files: { [paths.bootstrapKubeletConf]: 'token', [paths.kubeletConf]: kubeletConf(SERVER, cluster.ca.pem) } },
      [
        {
          check: 'identity',
          state: 'note',
          what: 'the kubelet does not have its certificate yet',
          next: 'kubectl get csr\nkubectl certificate approve NAME # if one is Pending',
        },
      ],
    ],
    [
      'a missing file',
      { files: without(paths.kubeadmFlags) },
      [
        {
          check: 'files',
          state: 'problem',
          what: '/var/lib/kubelet/kubeadm-flags.env is missing',
          next: 'run the join command again',
        },
      ],
    ],
    [
      'an invalid kubelet configuration',
      { files: { ...written, [paths.kubeletConfig]: 'a: b: c' } },
      [
        {
          check: 'files',
          state: 'problem',
          what: expect.stringContaining('E_KUBELET_CONFIG: '),
          next: expect.any(String),
        },
      ],
    ],
    [
      'a bootstrap token that is still on disk',
      { files: { ...written, [paths.bootstrapKubeletConf]: TOKEN } },
      [
        {
          check: 'files',
          state: 'problem',
          next: 'rm /etc/kubernetes/bootstrap-kubelet.conf',
          what: '/etc/kubernetes/bootstrap-kubelet.conf still contains a bootstrap token, which is no longer needed',
        },
      ],
    ],
    [
      'a kubelet that is not running',
      { services: { kubelet: {} } },
      [{ check: 'kubelet', state: 'problem', what: 'its service is not running', next: 'systemctl start kubelet' }],
    ],
    [
      'a kubelet that keeps restarting',
      {
        services: { kubelet: { active: true, failed: true } },
        programs: ['journalctl'],
        outputs: { 'journalctl -u kubelet -n 1 -o cat --no-pager': { stdout: 'F1128 \u001b[31mno such flag\n' } },
      },
      [
        {
          check: 'kubelet',
          state: 'problem',
          next: 'journalctl -u kubelet -n 50',
          what: 'its service keeps restarting; last log line: F1128  [31mno such flag',
        },
      ],
    ],
    [
      'no service of that name',
      { services: {} },
      [
        {
          check: 'kubelet',
          state: 'problem',
          what: 'E_SERVICE_MISSING: systemd has no service named kubelet',
          next: expect.any(String),
        },
      ],
    ],
    [
      'no service manager',
      { services: { kubelet: { manager: 'none' } } },
      [
        {
          check: 'kubelet',
          state: 'unknown',
          what: 'the state of the kubelet is unknown: there is no systemd and no OpenRC',
        },
      ],
    ],
    [
      'an API server that does not answer',
      { send: () => Promise.reject(fail('E_API_UNREACHABLE', { server: SERVER, what: 'refused' })) },
      [
        {
          check: 'api-server',
          state: 'problem',
          what: expect.stringMatching(/^E_API_UNREACHABLE: /),
          next: expect.any(String),
        },
      ],
    ],
    [
      'a certificate that the cluster no longer accepts',
      { send: () => ({ status: 401, body: {}, clockSkewMs: 0 }) },
      [
        {
          check: 'api-server',
          state: 'problem',
          what: expect.stringMatching(/^E_API_UNAUTHORIZED: /),
          next: expect.any(String),
        },
      ],
    ],
    [
      'a clock that is wrong',
      { send: (request) => ({ ...cluster.send(request), clockSkewMs: 120_000 }) },
      [
        {
          check: 'clock',
          state: 'problem',
          what: expect.stringMatching(/^E_CLOCK_SKEW: .*120 s behind/),
          next: expect.any(String),
        },
      ],
    ],
    [
      'no Node',
      { send: () => ({ status: 404, body: {}, clockSkewMs: 0 }) },
      [
        {
          check: 'node',
          state: 'problem',
          next: 'journalctl -u kubelet -n 50',
          what: 'the cluster has no Node w1: the kubelet has not registered, or the Node was deleted',
        },
      ],
    ],
    ...(
      [
        [
          'KubeletNotReady',
          'cni plugin not initialized',
          'install a network plugin in the cluster, then check /etc/cni/net.d',
        ],
        [
          'NodeStatusUnknown',
          'Kubelet stopped posting node status.',
          'systemctl restart kubelet\njournalctl -u kubelet -n 50',
        ],
        ['KubeletNotReady', 'PLEG is not healthy', 'journalctl -u kubelet -n 50'],
      ] as const
    ).map(([reason, message, next]): [string, MemoryMachine, object[]] => [
      `a Node that is not Ready: ${message}`,
      { send: () => ({ status: 200, body: { metadata: {}, ...ready('False', reason, message) }, clockSkewMs: 0 }) },
      [{ check: 'node', state: 'problem', what: `w1 is not Ready (${reason}: ${message})`, next }],
    ]),
  ])('doctor reports %s', async (_, change, expected) => {
    expect(await problems(joined(change))).toEqual(expected);
  });
});
