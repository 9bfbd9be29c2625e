/** The bounds of a plugin, and the root of a machine, hold for what names lead to, and not for the names themselves. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Host } from '../../engine/host/host.ts';
import { composePorts } from '../../engine/host/ports/index.ts';
import type { Query } from '../../engine/host/query.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import type { Bounds } from '../../engine/sdk/bounds.ts';
import { apiCalls, downloads, type Ports, Secret, unmounts, writes } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { rootedMachine } from '../helpers/machine.ts';
import { document, redirect, site, trustOnlyOurCa } from '../helpers/web-servers.ts';

const SIGNAL = new AbortController().signal;
const NOTHING: Bounds = { paths: [], services: [], commands: [], api: [], network: [], mounts: [], runtime: false };
const deep = Array.from({ length: 7 }, (_, index) => `/etc/acme${'/*'.repeat(index + 1)}`);
const effects = [
  ...[...deep, '/opt/*', '/opt/*/*'].map((path) => writes(path, undefined, 'x')),
  unmounts('/opt/acme', 'x'),
  apiCalls(['get'], 'nodes', 'x'),
  downloads('x'),
];

/** The ports of a plugin's phase. */
const portsIn = (host: Host, bounds: Partial<Bounds>, input: object = {}): Ports =>
  composePorts({
    host,
    effects,
    input,
    signal: SIGNAL,
    bounds: { ...NOTHING, ...bounds },
    hasSecret: () => false,
    log: () => undefined,
    onChange: () => undefined,
    record: async () => async () => undefined,
    once: async (_, make) => new Secret(await make()),
  });

async function machine(hostOf: (host: Host) => Host = (host) => host) {
  const { root, host } = await rootedMachine();
  for (const path of ['etc/acme', 'etc/precious', 'opt', 'data/acme']) mkdirSync(join(root, path), { recursive: true });
  const { files, mounts } = portsIn(hostOf(host), { paths: ['/etc/acme/**', '/opt/acme/*'], mounts: ['/opt/acme'] });
  return { root, files, mounts };
}

describe.each([
  ['run', (host: Host) => host],
  ['dry run', recordingHost],
])('a plugin in a %s', (_, hostOf) => {
  type Act = (files: Ports['files']) => Promise<void>;
  test.each<[string, Act, string]>([
    ['writes', (files) => files.write('/etc/acme/current/owned', 'x', 0o644), '/etc/owned'],
    ['creates a directory', (files) => files.directory('/etc/acme/current/owned', 0o755), '/etc/owned'],
    ['removes', (files) => files.remove('/etc/acme/current/precious'), '/etc/precious'],
    ['removes a tree', (files) => files.removeTree('/etc/acme/current/precious'), '/etc/precious'],
    ['creates a link', (files) => files.link('/etc/acme/current/owned', '/etc/acme/x'), '/etc/owned'],
    ['writes below what is missing', (files) => files.write('/etc/acme/missing/a/b', 'x', 0o644), '/etc/new/a/b'],
  ])('a plugin does not leave its bounds through a link of root: %s', async (__, act, real) => {
    const { root, files } = await machine(hostOf);
    symlinkSync('/etc', join(root, 'etc/acme/current'));
    symlinkSync('/etc/new', join(root, 'etc/acme/missing'));
    const error = await joinErrorOf(() => act(files));
    expect(error).toMatchObject({
      code: 'E_EFFECT_UNDECLARED',
      message: expect.stringContaining(`, which is ${real}`),
    });
    expect(readdirSync(join(root, 'etc')).sort()).toEqual(['acme', 'precious']);
  });

  test('a plugin does not leave its bounds through links of its own', async () => {
    const { root, files } = await machine(hostOf);
    for (const path of ['/etc/acme/x', '/etc/acme/a/b/c']) await files.directory(path, 0o755);
    await files.link('/etc/acme/a/b/c/d', '/etc/acme/x');
    const error = await joinErrorOf(() => files.link('/etc/acme/a/b/c/d/up', '../..'));
    expect(error.message).toContain('link /etc/acme/a/b/c/d/up to ../.., which is /etc');
    // `b` could become a link to somewhere else later.
    const later = await joinErrorOf(() => files.link('/etc/acme/later', 'a/b/../b'));
    expect(later.code).toBe('E_EFFECT_UNDECLARED');
    await files.link('/etc/acme/a/b/near', '../b/c');
    await files.write('/etc/acme/a/b/near/file', 'x', 0o644);
    expect(readdirSync(join(root, 'etc')).sort()).toEqual(['acme', 'precious']);
  });

  test('a plugin uses a folder of its bounds that root has made a link to another disk', async () => {
    const { root, files } = await machine(hostOf);
    symlinkSync('/data/acme', join(root, 'opt/acme'));
    await files.write('/opt/acme/file', 'x', 0o644);
    expect((await files.read('/opt/acme/file'))?.toString()).toBe('x');
  });
});

describe('a plugin', () => {
  test('a plugin does not unmount what a link of its own leads to', async () => {
    const found = ['/data/acme/volume'];
    const memory = memoryHost();
    await memory.apply({ kind: 'link', path: '/opt/acme', target: '/data/acme' }, SIGNAL);
    const read = async (query: Query) => (query.kind === 'mounts' ? found : memory.read(query as never, SIGNAL));
    const host: Host = { ...memory, read: read as Host['read'] };
    const own = portsIn(host, { paths: ['/opt/*'], mounts: ['/opt/acme'] }).mounts;
    await own.below('/opt/acme');
    expect((await joinErrorOf(() => own.unmount('/data/acme/volume'))).code).toBe('E_EFFECT_UNDECLARED');
    const roots = portsIn(host, { mounts: ['/opt/acme'] }).mounts;
    expect(await roots.below('/opt/acme')).toEqual(found);
    await roots.unmount('/data/acme/volume');
  });
});

describe('the network bounds of a plugin', () => {
  const host = () => memoryHost({ wait: async () => undefined });
  const network = ['https://files.example/releases/', 'http://[::1]:8080/'];
  const ref = { apiVersion: 'v1', resource: 'nodes', name: 'w1' };
  const identity = { server: 'https://c.example:6443', ca: 'CA' };
  const conf = (server: string) =>
    `apiVersion: v1\nkind: Config\nclusters:\n- name: k\n  cluster: { server: "${server}", certificate-authority-data: "" }\n`;

  trustOnlyOurCa();
  test('the network bounds of a plugin hold for each redirect of a download', async () => {
    const last = await site(document);
    const { url } = await site(redirect(last.url));
    const machineHost = (await rootedMachine()).host;
    const error = await joinErrorOf(() => portsIn(machineHost, { network: [new URL('/', url).href] }).web.get(url));
    expect(error.code).toBe('E_DOWNLOAD');
    expect(error.message).toContain(`it leads to ${new URL(last.url).origin}, which the plugin does not declare`);
    expect(last.asked).toEqual([]);
    const both = [url, last.url].map((address) => new URL('/', address).href);
    expect(await portsIn(machineHost, { network: both }).web.get(url)).toBe('kind: Config\n');
  });

  test('the network bounds of a plugin hold for ports', async () => {
    const { web } = portsIn(host(), { network }, { target: 'db.example:5432' });
    for (const [name, port] of [
      ['files.example', 443],
      ['::1', 8080],
      ['db.example', 5432],
    ] as const)
      await web.waitForPort(name, port);
    for (const [name, port] of [
      ['files.example', 22],
      ['evil.example', 443],
      ['::1', 80],
    ] as const)
      expect(await joinErrorOf(() => web.waitForPort(name, port))).toMatchObject({
        code: 'E_EFFECT_UNDECLARED',
        message: expect.stringContaining(`connect to ${name}:${port}`),
      });
  });

  test('the network bounds of a plugin hold for a health address that is not on this machine', async () => {
    const { services } = portsIn(host(), { network });
    for (const url of ['http://127.0.0.1:10248/healthz', 'http://[::1]:10248/healthz', 'http://localhost:10248/'])
      await services.waitHealthy('kubelet', url);
    const error = await joinErrorOf(() => services.waitHealthy('kubelet', 'http://evil.example/?stolen'));
    expect(error.message).toContain('ask http://evil.example/');
  });

  test.each<[string, Partial<Bounds>, object, string | undefined, boolean]>([
    ['that nothing names', { network }, {}, undefined, false],
    ['of another cluster than the kubelet’s', {}, {}, 'https://other.example:6443', false],
    ['of its bounds', { network: ['https://c.example:6443/'] }, {}, undefined, true],
    ['of its input', {}, { identity: { server: identity.server } }, undefined, true],
    ['of the kubelet', {}, {}, identity.server, true],
  ])('the network bounds of a plugin hold for API servers: one %s', async (_, bounds, input, ofKubelet, isAllowed) => {
    const files = ofKubelet === undefined ? {} : { '/etc/kubernetes/kubelet.conf': conf(ofKubelet) };
    const asked: string[] = [];
    const watched = memoryHost({
      files,
      send: ({ server }) => {
        asked.push(server);
        return { status: 200, body: { metadata: { name: 'w1' } }, clockSkewMs: 0 };
      },
    });
    const { kube } = portsIn(watched, bounds, input);
    Object.assign(input, { planted: identity.server }); // too late
    const api = kube.as(identity);
    const acts = [() => api.get(ref), () => api.can('get', '', 'nodes')];
    for (const act of acts)
      if (isAllowed) await act();
      else expect((await joinErrorOf(act)).message).toContain(`send requests to ${identity.server}`);
    expect(asked.length).toBe(isAllowed ? 2 : 0);
  });
});

describe('a program below --root', () => {
  const run = (host: Host, ...argv: string[]) => host.read<'output'>({ kind: 'output', argv }, SIGNAL);
  test.each([
    ['by its path', '/usr/bin/touch'],
    ['by an absolute link, which begins at the root', '/usr/bin/link'],
    ['by a link that would climb out of the root', '/usr/bin/climbs'],
    ['by a name that is a link', 'link'],
  ])('a program below --root is that of the machine, and never that of the host: %s', async (_, program) => {
    const { root, host } = await rootedMachine({ touch: ': > "$JOINERY_ROOT/rooted"' });
    symlinkSync('/usr/bin/touch', join(root, 'usr/bin/link'));
    symlinkSync(`${'../'.repeat(20)}usr/bin/touch`, join(root, 'usr/bin/climbs'));
    await run(host, program, join(root, 'host'));
    expect([existsSync(join(root, 'rooted')), existsSync(join(root, 'host'))]).toEqual([true, false]);
  });

  test.each(['/bin/sh', `${'../'.repeat(20)}bin/sh`, 'sh', 'sub/sh', 'gone'])(
    'a program below --root is not run if it is only on the host: %s',
    async (program) => {
      const { root, host } = await rootedMachine({ touch: '' });
      symlinkSync('/bin/sh', join(root, 'usr/bin/gone'));
      expect((await joinErrorOf(() => run(host, program, '-c', `: > ${root}/ran`))).code).toBe('E_COMMAND_FAILED');
      expect(await host.read({ kind: 'program', name: program }, SIGNAL)).toBeUndefined();
      expect(existsSync(join(root, 'ran'))).toBe(false);
    },
  );

  test('links below --root that lead to the host add no facts of the host', async () => {
    const { root } = await rootedMachine();
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'os-release'), 'ID=machine\n');
    symlinkSync('/os-release', join(root, 'etc/os-release'));
    symlinkSync(`${'../'.repeat(20)}etc/passwd`, join(root, 'etc/hostname'));
    const { realHost } = await import('../../engine/host/real.ts');
    const { kubeAccess } = await import('../../engine/kube/access.ts');
    const { facts } = await realHost(root, { access: kubeAccess });
    expect(facts.distribution).toBe('machine');
    expect(readFileSync('/etc/passwd', 'utf8').toLowerCase().startsWith(facts.name)).toBe(false);
  });
});
