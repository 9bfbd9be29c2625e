import { describe, expect, test } from 'vitest';
import { csrRef, nodeRef, paths } from '../../engine/node/index.ts';
import { fail } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import doctor from '../../phases/doctor/index.ts';
import { FakeCluster, issue, NOW, SERVER, TOKEN, TOKEN_SECRET } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { glimpseOf, heldIdentity, kubeletConf } from '../helpers/node.ts';

const cluster = new FakeCluster();
const own = issue(cluster.ca);
const ready = (status: string, reason = '', message = '') => ({
  status: { conditions: [{ type: 'Ready', status, reason, message }] },
});
const written = {
  ...heldIdentity(SERVER, cluster.ca.pem, own),
  [paths.kubeletConfig]: 'kind: KubeletConfiguration\n',
  [paths.kubeadmFlags]: '',
  [paths.caCert]: cluster.ca.pem,
};
const RUNNING = { kubelet: { active: true } };
const joined = (change: MemoryMachine = {}): MemoryMachine => ({
  now: () => NOW,
  files: written,
  services: RUNNING,
  send: cluster.send,
  ...change,
});
const asking = { identity: { server: SERVER, ca: cluster.ca.pem, token: TOKEN }, csr: 'node-csr-x' };
const examined = async (machine: MemoryMachine, input: Record<string, unknown> = {}) => {
  const { error, result, changes } = await runPhase(doctor, input, memoryHost(machine));
  expect([error, changes]).toEqual([undefined, []]);
  const { findings } = (result.steps[0]?.outputs ?? {}) as {
    findings: { check: string; state: string; what: string; next?: string }[];
  };
  return findings;
};
const problems = async (...given: Parameters<typeof examined>) =>
  (await examined(...given)).filter(({ state }) => state !== 'ok');

cluster.put(nodeRef('w1'), ready('True'));
cluster.put(csrRef('node-csr-x'), {});
describe('of a joined machine', () =>
  itKeepsThePhaseContract(doctor, {
    ...{ input: {}, machine: joined, secrets: [glimpseOf(own.keyPem)], changesNothing: true, goesOn: true },
  }));
describe('of one whose join waits', () =>
  itKeepsThePhaseContract(doctor, {
    ...{ input: asking, machine: () => joined({ files: {} }), changesNothing: true, goesOn: true },
    secrets: [TOKEN_SECRET],
  }));

describe('a doctor', () => {
  test('finds all of a joined machine well', async () => {
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

  test('finds a machine that has not joined, and asks nobody', async () => {
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
      'a certificate that has expired',
      {
        files: {
          ...written,
          ...heldIdentity(SERVER, cluster.ca.pem, issue(cluster.ca, { notAfter: new Date('2026-03-01') })),
        },
      },
      [
        {
          ...{ check: 'identity', state: 'problem', what: 'the certificate of w1 expired on 2026-03-01' },
          next: 'check the clock with date -u; if it is right, run the join command again',
        },
      ],
    ],
    [
      'an identity of something else',
      { files: { ...written, ...heldIdentity(SERVER, cluster.ca.pem, issue(cluster.ca, { user: 'admin' })) } },
      [
        {
          check: 'identity',
          state: 'problem',
          what: 'its certificate does not belong to a node',
          next: 'join reset, then join again',
        },
      ],
    ],
    [
      'a kubelet.conf without its certificate',
      { files: without(paths.kubeletCurrentPem) },
      [
        {
          ...{ check: 'identity', state: 'problem', next: 'join reset, then join again' },
          what: '/etc/kubernetes/kubelet.conf exists, but without a usable certificate and key',
        },
      ],
    ],
    [
      'a kubelet that has yet to get its certificate',
      { files: { [paths.bootstrapKubeletConf]: 'token', [paths.kubeletConf]: kubeletConf(SERVER, cluster.ca.pem) } },
      [
        {
          ...{ check: 'identity', state: 'note', what: 'the kubelet does not have its certificate yet' },
          next: 'kubectl get csr, then kubectl certificate approve NAME if one is Pending',
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
      'a configuration that is none',
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
      'a token that is left',
      { files: { ...written, [paths.bootstrapKubeletConf]: TOKEN } },
      [
        {
          ...{ check: 'files', state: 'problem', next: 'rm /etc/kubernetes/bootstrap-kubelet.conf' },
          what: '/etc/kubernetes/bootstrap-kubelet.conf still contains a bootstrap token, which is no longer needed',
        },
      ],
    ],
    [
      'a kubelet that does not run',
      { services: { kubelet: {} } },
      [{ check: 'kubelet', state: 'problem', what: 'its service is not running', next: 'systemctl start kubelet' }],
    ],
    [
      'a kubelet that ends again and again',
      {
        ...{ services: { kubelet: { active: true, failed: true } }, programs: ['journalctl'] },
        outputs: { 'journalctl -u kubelet -n 1 -o cat --no-pager': { stdout: 'F1128 \u001b[31mno such flag\n' } },
      },
      [
        {
          ...{ check: 'kubelet', state: 'problem', next: 'journalctl -u kubelet -n 50' },
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
      'a certificate that the cluster does not take any more',
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
          ...{ check: 'node', state: 'problem', next: 'journalctl -u kubelet -n 50' },
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
          'systemctl restart kubelet, then journalctl -u kubelet -n 50',
        ],
        ['KubeletNotReady', 'PLEG is not healthy', 'journalctl -u kubelet -n 50'],
      ] as const
    ).map(([reason, message, next]): [string, MemoryMachine, object[]] => [
      `a Node that is not Ready: ${message}`,
      { send: () => ({ status: 200, body: { metadata: {}, ...ready('False', reason, message) }, clockSkewMs: 0 }) },
      [{ check: 'node', state: 'problem', what: `w1 is not Ready (${reason}: ${message})`, next }],
    ]),
  ])('finds %s', async (_, change, expected) => {
    expect(await problems(joined(change))).toEqual(expected);
  });

  const requested = (status: object) => ({
    send: () => ({ status: 200, body: { metadata: {}, status }, clockSkewMs: 0 }),
  });
  const condition = (type: string, reason = 'Because', message = 'not you') => ({
    conditions: [{ type, reason, message }],
  });
  test.each<[string, MemoryMachine, object]>([
    [
      'waits',
      requested({}),
      {
        state: 'problem',
        what: 'node-csr-x is Pending: it needs approval',
        next: 'kubectl certificate approve node-csr-x, then join resume',
      },
    ],
    [
      'is approved',
      requested(condition('Approved')),
      { state: 'ok', what: 'node-csr-x is approved', next: 'join resume' },
    ],
    [
      'is denied',
      requested(condition('Denied')),
      { state: 'problem', what: expect.stringMatching(/^E_CSR_DENIED: .*Because.*not you/) },
    ],
    [
      'has failed',
      requested(condition('Failed')),
      { state: 'problem', what: expect.stringMatching(/^E_CSR_FAILED: .*Because.*not you/) },
    ],
    [
      'is gone',
      { send: () => ({ status: 404, body: {}, clockSkewMs: 0 }) },
      { state: 'problem', what: expect.stringMatching(/^E_CSR_GONE: /) },
    ],
  ])('finds that the request of an unfinished join %s', async (_, change, expected) => {
    const found = await examined(joined({ files: {}, ...change }), asking);
    expect(found.find(({ check }) => check === 'csr')).toMatchObject(expected);
    expect(found.find(({ check }) => check === 'api-server')).toEqual({
      check: 'api-server',
      state: 'ok',
      what: `${SERVER} answers`,
    });
  });

  test('finds whether the cluster answers at all where the token is gone', async () => {
    const send = () => ({ status: 200, body: { metadata: {}, data: {} }, clockSkewMs: 0 });
    const known = { ...asking, identity: { server: SERVER, ca: cluster.ca.pem } };
    const found = await examined(joined({ files: {}, send }), known);
    expect(found.map(({ check, state }) => [check, state])).toEqual([
      ['identity', 'note'],
      ['kubelet', 'ok'],
      ['api-server', 'ok'],
      ['clock', 'ok'],
    ]);
  });
});
