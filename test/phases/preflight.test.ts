import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { paths } from '../../engine/node/index.ts';
import { run } from '../../engine/run/run.ts';
import { fail } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import preflight from '../../phases/preflight/index.ts';
import { authority, issue, SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { checked, input, joinable, NAMES, rowsOf, SWAPPING, withoutProgram } from '../helpers/joinable.ts';
import { heldIdentity } from '../helpers/node.ts';
import { planOfSteps } from '../helpers/plans.ts';

const unique = (names: string[]): string[] => [...new Set(names)];

itKeepsThePhaseContract(preflight, { input, machine: joinable, secrets: [], changesNothing: true });

describe('preflight', () => {
  test('preflight reports evidence for each check on a machine without problems', async () => {
    const { error, checks, found, notes, passed } = await checked(joinable());
    expect([error, found, notes]).toEqual([undefined, [], []]);
    expect(passed).toBe(`${checks.length} checks passed`);
    expect(unique(checks.map(({ check }) => check))).toEqual(NAMES);
    for (const { check, evidence, hint } of checks) expect([evidence.length > 5, hint], check).toEqual([true, '']);
  });

  test('preflight runs every check even if one fails, and reports them in a fixed order', async () => {
    const { error, checks, notes } = await checked({}, { privileged: false });
    expect(unique(checks.map(({ check }) => check))).toEqual(NAMES.filter((name) => name !== 'NodeLabels'));
    expect(checks.filter(({ result }) => result === 'error').map(({ check }) => check)).toEqual([
      'IsPrivilegedUser',
      'CRI',
      'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables',
      'FileContent--proc-sys-net-ipv4-ip_forward',
      'FileExisting-crictl',
      'FileExisting-conntrack',
      'FileExisting-ip',
      'FileExisting-iptables',
      'FileExisting-mount',
      'FileExisting-nsenter',
      'SystemVerification',
      'SystemVerification',
      'SystemVerification',
      'KubeletVersion',
    ]);
    expect(notes.map(({ text }) => text.split(' ')[0])).toEqual([
      '[FileExisting-ebtables]',
      '[FileExisting-ethtool]',
      '[FileExisting-socat]',
      '[FileExisting-tc]',
      '[FileExisting-touch]',
      '[SystemVerification]',
      '[Hostname]',
      '[Service-kubelet]',
    ]);
    expect(error).toMatchObject({ code: 'E_PREFLIGHT', exitCode: 4 });
  });

  test('preflight reports evidence and hint of each failure, and how to ignore all of them', async () => {
    const { error } = await checked(joinable({ files: { ...SWAPPING, [paths.caCert]: '' } }));
    expect(error).toMatchObject({
      message: [
        'this machine is not ready to join:',
        '  [FileAvailable--etc-kubernetes-pki-ca.crt] /etc/kubernetes/pki/ca.crt already exists',
        '    → This machine may already belong to a cluster. To leave it: join reset',
        '  [Swap] swap is on: /dev/sda2',
        '    → swapoff -a, and remove it from /etc/fstab to keep it off',
      ].join('\n'),
      hint: 'Fix these, or ignore them with --ignore-preflight-errors=FileAvailable--etc-kubernetes-pki-ca.crt,Swap',
    });
  });

  test('preflight runs all checks in parallel', async () => {
    const host = memoryHost(joinable());
    let [active, most] = [0, 0];
    const slow: typeof host = {
      ...host,
      async read(query, signal) {
        most = Math.max(most, ++active);
        await setImmediate();
        active--;
        return host.read(query, signal);
      },
    };
    expect((await runPhase(preflight, { ...input, standalone: false }, slow)).error).toBeUndefined();
    expect(most).toBeGreaterThan(20);
  });

  test('with standalone: false, checks only that the kubelet is installed', async () => {
    const mute = { outputs: { 'kubelet --version': { exitCode: 1 } } };
    const seen = await checked(joinable(mute), { standalone: false });
    expect([seen.error, rowsOf(seen, 'KubeletVersion')]).toEqual([
      undefined,
      [{ check: 'KubeletVersion', result: 'ok', evidence: '/usr/bin/kubelet', hint: '' }],
    ]);
    expect((await checked(withoutProgram('kubelet'), { standalone: false })).found).toEqual([
      {
        check: 'KubeletVersion',
        result: 'error',
        evidence: 'kubelet is not on PATH',
        hint: "apt-get install kubelet, or your distribution's package",
      },
    ]);
  });

  test('a check that cannot run counts as failed, and the others still run', async () => {
    const host = memoryHost(joinable());
    const broken: typeof host = {
      ...host,
      async read(query, signal) {
        if ((query as { name?: string }).name === 'socat')
          throw fail('E_FILE', { path: '/usr/bin/socat', what: 'I/O error' });
        return host.read(query, signal);
      },
    };
    const { error } = await runPhase(preflight, input, broken);
    expect(error).toMatchObject({
      code: 'E_PREFLIGHT',
      message: expect.stringContaining('[FileExisting-socat] /usr/bin/socat: I/O error\n    → Check the owner'),
    });
  });

  test('preflight accepts files of an earlier join under this name, but not under another name', async () => {
    const ca = authority();
    const held = heldIdentity(SERVER, ca.pem, issue(ca));
    const listens = { '/proc/net/tcp': '   1: 00000000:280A 00000000:0000 0A 0\n' };
    const pod = { '/etc/kubernetes/manifests/mine.yaml': '' };
    const machine = joinable({ files: { ...held, ...listens, ...pod, [paths.caCert]: ca.pem } });
    expect((await checked(machine)).found).toEqual([]);
    const other = await checked({ ...machine, files: { ...machine.files, '/etc/hosts': '1 w2' } }, { nodeName: 'w2' });
    expect(other.found.map(({ check }) => check)).toEqual([
      'DirAvailable--etc-kubernetes-manifests',
      'FileAvailable--etc-kubernetes-kubelet.conf',
      'FileAvailable--etc-kubernetes-pki-ca.crt',
      'Port-10250',
    ]);
  });
});

describe('ignored preflight checks', () => {
  const broken = joinable({ files: { ...SWAPPING, [paths.kubeletConf]: '' } });
  const both = ['FileAvailable--etc-kubernetes-kubelet.conf', 'Swap'];

  test.each<[string[], string[], string[]]>([
    [['Swap'], [], ['FileAvailable--etc-kubernetes-kubelet.conf']],
    [[], ['Swap'], ['FileAvailable--etc-kubernetes-kubelet.conf']],
    [['swap'], [' FILEAVAILABLE--etc-kubernetes-kubelet.conf '], []],
    [['all'], [], []],
    [[], ['ALL'], []],
    [['all', 'ALL'], ['All'], []],
    [['Nonsense'], [], both],
    [[], [], both],
  ])(
    'the ignored checks %j and %j of preflight leave the errors %j',
    async (ignorePreflightErrors, ignoreChecksErrors, left) => {
      const { error, checks, notes } = await checked(broken, { ignorePreflightErrors, ignoreChecksErrors });
      const by = (wanted: string) => checks.filter(({ result }) => result === wanted).map(({ check }) => check);
      expect(by('error')).toEqual(left);
      expect(by('ignored')).toEqual(both.filter((name) => !left.includes(name)));
      expect(error === undefined).toBe(left.length === 0);
      expect(notes).toHaveLength(2 - left.length); // ignored errors are still reported
    },
  );

  test('an ignored check is reported with evidence and hint', async () => {
    const { notes } = await checked(joinable({ files: SWAPPING }), { ignorePreflightErrors: ['Swap'] });
    expect(notes).toEqual([
      {
        level: 'warn',
        text: '[Swap] swap is on: /dev/sda2 → swapoff -a, and remove it from /etc/fstab to keep it off',
      },
    ]);
  });

  test.each([
    [['all', 'Swap'], []],
    [['all'], ['Swap']],
    [['Swap'], ['all']],
  ])(
    'preflight refuses to ignore all together with other names: %j and %j',
    async (ignorePreflightErrors, ignoreChecksErrors) => {
      const { error } = await checked(joinable(), { ignorePreflightErrors, ignoreChecksErrors });
      expect(error).toMatchObject({ code: 'E_PREFLIGHT_IGNORE', exitCode: 2 });
    },
  );

  test('a missing kubelet can be ignored', async () => {
    const { error } = await checked(withoutProgram('kubelet'), { ignorePreflightErrors: ['KubeletVersion'] });
    expect(error).toBeUndefined();
  });
});

describe('a failing preflight', () => {
  const discovery = (onStop: (signal: AbortSignal) => void) => ({
    id: 'discovery',
    run: ({ signal }: { signal: AbortSignal }) =>
      new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => {
          onStop(signal);
          reject(fail('E_API_UNREACHABLE', { server: SERVER, what: 'it was cut short' }));
        }),
      ),
  });

  test('a failing preflight cancels a discovery that hangs for 5 s more, and is reported as the cause', async () => {
    const host = memoryHost(joinable({ files: SWAPPING }));
    let stopped: unknown;
    const plan = planOfSteps(
      discovery((signal) => {
        stopped = signal.reason;
      }),
      { id: 'preflight', run: () => undefined, value: { ...input, caCertPath: paths.caCert } },
      { id: 'cluster-config', needs: ['preflight', 'discovery'], run: () => expect.unreachable() },
    );
    const [, step] = plan.steps;
    if (step !== undefined) step.phase = preflight as never; // its phase, in a plan made by hand
    const begunAt = performance.now();
    const { status, error, steps } = await run({ plan, host });
    expect(performance.now() - begunAt).toBeLessThan(6_000);
    expect(stopped).toMatchObject({ code: 'E_CANCELLED' });
    expect([status, error]).toEqual(['failed', expect.objectContaining({ code: 'E_PREFLIGHT', step: 'preflight' })]);
    expect(steps.map((one) => [one.id, one.status, one.error === undefined])).toEqual([
      ['discovery', 'cancelled', true],
      ['preflight', 'failed', false],
      ['cluster-config', 'skipped', true],
    ]);
  });
});
