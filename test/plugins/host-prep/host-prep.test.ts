import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sdk } from '../../../bin/plugins/sdk.ts';
import { missingBound } from '../../../engine/sdk/bounds.ts';
import { type MemoryMachine, memoryHost } from '../../../engine/testing/memory-host.ts';
import { hostPrep as make } from '../../../plugins/host-prep/index.ts';
import { itKeepsThePhaseContract, runPhase } from '../../helpers/contract.ts';

const hostPrep = make(sdk);
const SIGNAL = new AbortController().signal;
const CONFIG = '/etc/containerd/config.toml';
const SYSCTLS = { 'net.ipv4.ip_forward': '1' };
const DEFAULTS = Object.fromEntries(
  Object.entries(hostPrep.input.properties).map(([name, schema]) => [
    name,
    'default' in schema ? schema.default : undefined,
  ]),
);

const NONE = { paths: [], services: [], commands: [], api: [], network: [], mounts: [], runtime: false };

const FSTAB = `# <file system> <mount point> <type>
UUID=1 / ext4 errors=remount-ro 0 1
UUID=2 none swap sw 0 0
#/old none swap sw 0 0
/swap\\040file  none\tswap\tpri=5 0 0
`;
const SWAPS = `Filename				Type		Size		Used		Priority
/dev/sda2                               partition	1048572		0		-2
/swap\\040file                          file		1048572		0		5
`;
const SHORT = `version = 2
# of the distribution
disabled_plugins = ["cri", 'io.containerd.internal.v1.opt'] # Docker's
[grpc]
  address = "/run/containerd/containerd.sock"
`;

const machine = (more: Record<string, string> = {}): MemoryMachine => ({
  directories: ['/sys/module/overlay', '/etc/containerd'],
  programs: ['containerd'],
  services: { containerd: { active: true } },
  files: {
    '/proc/sys/net/ipv4/ip_forward': '0\n',
    '/proc/swaps': SWAPS,
    '/etc/fstab': FSTAB,
    [CONFIG]: SHORT,
    ...more,
  },
});

itKeepsThePhaseContract(hostPrep, {
  input: { sysctls: SYSCTLS, pauseImage: 'registry.k8s.io/pause:3.9' },
  machine,
  async afterwards(host) {
    const file = (path: string, text: string) =>
      host.apply({ kind: 'file', path, content: Buffer.from(text), mode: 0o644, secret: false }, SIGNAL);
    await file('/proc/sys/net/ipv4/ip_forward', '1\n');
    await file('/proc/swaps', SWAPS.split('\n')[0] ?? '');
    await host.apply({ kind: 'directory', path: '/sys/module/br_netfilter', mode: 0o755 }, SIGNAL);
  },
  secrets: [],
});

async function prepared(
  values: Record<string, unknown> = {},
  more: Record<string, string> = {},
  change: MemoryMachine = {},
) {
  const host = memoryHost({ ...machine(more), ...change });
  const { error, result } = await runPhase(hostPrep, { ...DEFAULTS, sysctls: SYSCTLS, ...values }, host);
  const text = async (path: string) => (await host.read<'file'>({ kind: 'file', path }, SIGNAL))?.toString();
  return { error, host, text, notes: result.steps[0]?.notes.map((note) => note.text) };
}

describe('host-prep', () => {
  test('host-prep declares in its manifest what its phase may do', () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../../../plugins/host-prep/package.json', import.meta.url), 'utf8'),
    );
    const more = hostPrep.effects
      .map((effect) => missingBound({ ...NONE, ...manifest.joinery.effects }, effect))
      .filter(Boolean);
    expect(more).toEqual([]);
  });

  test('host-prep turns swap off so that undo can restore it, and comments out its lines in fstab', async () => {
    const { error, host, text } = await prepared();
    expect(error).toBeUndefined();
    const commands = host.changes.flatMap((change) => (change.kind === 'command' ? [[change.argv, change.undo]] : []));
    expect(commands).toEqual([
      [
        ['modprobe', 'br_netfilter'],
        ['modprobe', '-r', 'br_netfilter'],
      ],
      [
        ['sysctl', '-w', 'net.ipv4.ip_forward=1'],
        ['sysctl', '-w', 'net.ipv4.ip_forward=0'],
      ],
      [
        ['swapoff', '/dev/sda2'],
        ['swapon', '/dev/sda2'],
      ],
      [
        ['swapoff', '/swap file'],
        ['swapon', '-p', '5', '/swap file'],
      ],
    ]);
    expect(await text('/etc/fstab')).toBe(
      FSTAB.replace('UUID=2', '# joinery: UUID=2').replace('/swap\\040', '# joinery: /swap\\040'),
    );
  });

  test('host-prep does not touch swap if so configured', async () => {
    const { host, text } = await prepared({ swap: 'keep' });
    expect(host.changes.flatMap((change) => (change.kind === 'command' ? [change.argv[0]] : []))).not.toContain(
      'swapoff',
    );
    expect(await text('/etc/fstab')).toBe(FSTAB);
  });

  test('host-prep edits a short containerd configuration, and restarts containerd', async () => {
    const { text, host } = await prepared({ pauseImage: 'registry.k8s.io/pause:3.9' });
    expect(await text(CONFIG)).toBe(`version = 2
# of the distribution
disabled_plugins = ["io.containerd.internal.v1.opt"] # Docker's
[grpc]
  address = "/run/containerd/containerd.sock"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.9"
`);
    expect(host.changes.at(-1)).toEqual({ kind: 'service', name: 'containerd', action: 'restart' });
  });

  test('host-prep edits a version 3 configuration in its own places, and only the values', async () => {
    const config = `version = 3
[plugins]
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = 'registry.k8s.io/pause:3.10' # pinned
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      BinaryName = ''
`;
    const { text } = await prepared({ pauseImage: 'r/pause:1' }, { [CONFIG]: config });
    expect(await text(CONFIG)).toBe(
      config
        .replace("'registry.k8s.io/pause:3.10'", '"r/pause:1"')
        .replace("      BinaryName = ''\n", "      SystemdCgroup = true\n      BinaryName = ''\n"),
    );
  });

  test("host-prep starts from containerd's default configuration if no configuration exists", async () => {
    const printed =
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]\n  SystemdCgroup = false\n';
    const host = memoryHost({ ...machine(), outputs: { 'containerd config default': { stdout: printed } } });
    await host.apply({ kind: 'remove', path: CONFIG }, SIGNAL);
    expect((await runPhase(hostPrep, { ...DEFAULTS, sysctls: SYSCTLS }, host)).error).toBeUndefined();
    const text = (await host.read<'file'>({ kind: 'file', path: CONFIG }, SIGNAL))?.toString();
    expect(text).toContain('SystemdCgroup = true');
  });

  test.each([
    ['[grpc]\n', 'it has the unsupported version 1 (supported: 2 and 3)'],
    ['version = 2\nplugins = { }\n', 'plugins is not a table section'],
    ['version = 2\nwhat is this\n', 'cannot parse line 2 as TOML'],
  ])('host-prep refuses to guess in %j', async (config, what) => {
    const { error, text } = await prepared({}, { [CONFIG]: config });
    expect(error).toMatchObject({
      code: 'E_CONTAINERD_CONFIG',
      message: `/etc/containerd/config.toml cannot be changed: ${what}`,
    });
    expect(await text(CONFIG)).toBe(config);
  });

  test('host-prep skips containerd if it is not installed', async () => {
    const { error, text, notes } = await prepared({}, {}, { programs: [] });
    expect([error, await text(CONFIG)]).toEqual([undefined, SHORT]);
    expect(notes).toContain('containerd is not installed; skipping its configuration');
  });
});
