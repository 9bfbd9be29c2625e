import { describe, expect, test } from 'vitest';
import type { Wait } from '../../engine/host/host.ts';
import { paths } from '../../engine/node/index.ts';
import { fail } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import kubeletStart from '../../phases/kubelet-start/index.ts';
import { NOW } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';

const DROP_IN = '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf';
const UNIT = [
  '[Service]',
  `Environment="A=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"`,
  `Environment="B=--config=/var/lib/kubelet/config.yaml"`,
  'EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env',
  'ExecStart=/usr/bin/kubelet $A $B $KUBELET_KUBEADM_ARGS',
].join('\n');

function starting(kubelet: NonNullable<MemoryMachine['services']>[string] | undefined, change: MemoryMachine = {}) {
  const waits: Wait[] = [];
  const machine = (): MemoryMachine => ({
    now: () => NOW,
    directories: ['/etc/systemd/system'],
    services: kubelet === undefined ? {} : { kubelet },
    wait: async (condition) => {
      waits.push(condition);
    },
    ...change,
  });
  return { waits, machine, start: () => runPhase(kubeletStart, {}, memoryHost(machine())) };
}
const START = { kind: 'service', name: 'kubelet', action: 'start' };
const startedAt = NOW.toISOString();
const health = (url = 'http://127.0.0.1:10248/healthz') => [{ kind: 'healthy', service: 'kubelet', url }];

itKeepsThePhaseContract(kubeletStart, {
  input: {},
  machine: starting({ unit: '[Service]\nExecStart=/usr/bin/kubelet\n' }).machine,
  secrets: [],
});

describe('kubelet-start', () => {
  test('kubelet-start starts a kubelet whose unit passes the files, and waits until it is healthy', async () => {
    const { start, waits } = starting({ unit: UNIT });
    const { error, changes, result } = await start();
    expect([error, changes, waits]).toEqual([undefined, [START], health()]);
    expect(result.steps[0]?.outputs).toEqual({ startedAt });
  });

  test('kubelet-start starts a kubelet whose unit is unknown', async () => {
    const { start } = starting({ manager: 'openrc' });
    expect((await start()).changes).toEqual([START]);
  });

  test.each([
    ['nothing', '[Service]\nExecStart=/usr/bin/kubelet\n'],
    ['no kubeconfig', UNIT.replace(' --kubeconfig=/etc/kubernetes/kubelet.conf', '')],
    ['no configuration', UNIT.replace('--config=/var/lib/kubelet/config.yaml', '')],
    ['no flags', UNIT.replace('/var/lib/kubelet/kubeadm-flags.env', '')],
    ['another configuration', UNIT.replace('config.yaml', 'other.yaml')],
  ])('kubelet-start writes a drop-in for a unit that passes %s, and reloads it', async (_, unit) => {
    const command = unit.includes('$A')
      ? '/usr/bin/kubelet $A $B $KUBELET_KUBEADM_ARGS $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_EXTRA_ARGS'
      : '/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS';
    const { start } = starting({ unit }, { programs: ['kubelet'] });
    const { error, changes } = await start();
    expect(error).toBeUndefined();
    const file = changes.find((change) => change.kind === 'file');
    expect(changes.map((change) => ('action' in change ? `${change.kind} ${change.action}` : change.kind))).toEqual([
      'directory',
      'file create',
      'service reload',
      'service start',
    ]);
    expect(file).toEqual({
      kind: 'file',
      path: DROP_IN,
      action: 'create',
      mode: 0o644,
      content: `# Written by Joinery, because the kubelet's unit did not pass the files of the join.
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
EnvironmentFile=-/etc/sysconfig/kubelet
ExecStart=
ExecStart=${command}
`,
    });
  });

  test.each([
    [true, 0],
    [false, 2],
  ])(
    'kubelet-start requires --bootstrap-kubeconfig in the unit if the kubelet requests its certificate (passed: %s)',
    async (passed, more) => {
      const flag = '--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf';
      const files = { [paths.bootstrapKubeletConf]: '' };
      const unit = passed ? UNIT : UNIT.replace(`${flag} `, '');
      const { error, changes, result } = await starting({ unit }, { files }).start();
      expect([error, changes.filter(({ kind }) => kind !== 'directory').length]).toEqual([undefined, 1 + more]);
      expect(result.steps[0]?.notes.some(({ text }) => text.includes(flag))).toBe(!passed);
      expect((await starting({ unit }).start()).changes).toEqual([START]);
    },
  );

  test('kubelet-start only checks the health of a running kubelet', async () => {
    const { start, waits } = starting({ active: true, unit: 'anything' });
    const { error, changes, result } = await start();
    expect([error, changes, waits, result.steps[0]?.outputs]).toEqual([undefined, [], health(), {}]);
  });

  test('kubelet-start prints the command to start the kubelet if there is no service manager', async () => {
    const { start, waits } = starting({ manager: 'none' });
    const { error, changes, result } = await start();
    expect([error, changes, waits]).toEqual([undefined, [], []]);
    expect(result.steps[0]).toMatchObject({
      outputs: { startedAt },
      notes: [
        {
          level: 'warn',
          text: expect.stringContaining(
            'kubelet --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml',
          ),
        },
      ],
    });
  });

  test('kubelet-start fails if the service does not exist', async () => {
    const { error, changes } = await starting(undefined).start();
    expect(error).toMatchObject({
      code: 'E_SERVICE_MISSING',
      facts: { service: 'kubelet', manager: 'systemd' },
      exitCode: 6,
    });
    expect(changes).toEqual([]);
  });

  test('kubelet-start fails if the health check fails', async () => {
    const failed = fail('E_SERVICE_FAILED', { service: 'kubelet', lastLine: 'no such file' });
    const { start } = starting({ unit: UNIT }, { wait: () => Promise.reject(failed) });
    const { error, changes } = await start();
    expect(error).toBe(failed);
    expect(changes).toEqual([START]);
  });

  test.each([
    ['healthzPort: 11248', 'http://127.0.0.1:11248/healthz'],
    ['healthzBindAddress: 10.0.0.7', 'http://10.0.0.7:10248/healthz'],
    ['healthzBindAddress: "::1"\nhealthzPort: 1', 'http://[::1]:1/healthz'],
    ['healthzBindAddress: 0.0.0.0', 'http://127.0.0.1:10248/healthz'],
    ['healthzBindAddress: "::"', 'http://[::1]:10248/healthz'],
    ['kind: KubeletConfiguration', 'http://127.0.0.1:10248/healthz'],
  ])('kubelet-start checks the health at the address in the configuration: %s', async (config, url) => {
    const { start, waits } = starting({ unit: UNIT }, { files: { [paths.kubeletConfig]: config } });
    expect((await start()).error).toBeUndefined();
    expect(waits).toEqual(health(url));
  });

  test.each([
    ['0100007F:2808', undefined, 'E_HEALTH_TAKEN'],
    ['00000000:2808', undefined, 'E_HEALTH_TAKEN'],
    ['0200007F:2808', undefined, undefined],
    ['0100007F:2809', undefined, undefined],
    ['0100007F:2808', 'healthzBindAddress: 127.0.0.2', undefined],
    ['0200007F:2808', 'healthzBindAddress: 127.0.0.2', 'E_HEALTH_TAKEN'],
    ['0100007F:2808', 'healthzPort: 0', undefined],
  ])('kubelet-start does not believe a process that listens at %s before the kubelet starts (%s)', async (...row) => {
    const [listener, config = '', code] = row;
    const files = {
      '/proc/net/tcp': `   0: ${listener} 00000000:0000 0A 00000000:00000000\n`,
      [paths.kubeletConfig]: config,
    };
    const { error, changes } = await starting({ unit: UNIT }, { files }).start();
    expect((error as { code?: string } | undefined)?.code).toBe(code);
    expect(changes).toEqual(code === undefined ? [START] : []);
    // A kubelet that runs already is one that listens.
    expect((await starting({ active: true, unit: UNIT }, { files }).start()).error).toBeUndefined();
  });

  test('a process that listens at the mapped address of its IPv6 socket is found, too', async () => {
    const files = { '/proc/net/tcp6': `   0: 0000000000000000FFFF00000100007F:2808 ${'0'.repeat(32)}:0000 0A 0\n` };
    const { error } = await starting({ unit: UNIT }, { files }).start();
    expect(error).toMatchObject({ code: 'E_HEALTH_TAKEN', facts: { url: 'http://127.0.0.1:10248/healthz' } });
  });

  test('kubelet-start warns that nothing is checked if the configuration turns the health check off', async () => {
    const { start, waits } = starting({ unit: UNIT }, { files: { [paths.kubeletConfig]: 'healthzPort: 0' } });
    expect((await start()).result.steps[0]?.notes.map(({ level, text }) => [level, text])).toContainEqual([
      'warn',
      'the kubelet has no health check (healthzPort: 0): only its Node will show whether it works',
    ]);
    expect(waits).toEqual([]);
  });
});
