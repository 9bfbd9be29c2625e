import { lstatSync, readdirSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, readlink, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Change } from '../../../engine/host/changes/index.ts';
import { MachineCommands } from '../../../engine/host/commands.ts';
import type { Host } from '../../../engine/host/host.ts';
import { recordingHost } from '../../../engine/host/recording.ts';
import { kubeAccess } from '../../../engine/kube/access.ts';
import { type CsrObject, configMapRef, csrRef, isReady, type NodeObject, nodeRef } from '../../../engine/node/index.ts';
import { createCsr, generateKeyPem, readCertificates } from '../../../engine/pki/index.ts';
import type { ApiAnswer, ApiRequest } from '../../../engine/sdk/api.ts';
import { apiCalls, controls, fail, type Identity, runs, Secret, writes } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf, shownOf, thrownBy } from '../../helpers/errors.ts';
import { portsOn, rootedMachine, scratch } from '../../helpers/machine.ts';

const SIGNAL = new AbortController().signal;
const CANARY = 'canary-51c0';
const ANYWHERE = [writes('/*', undefined, 'x'), writes('/*/*', undefined, 'x'), writes('/*/*/*', undefined, 'x')];
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);
const withUmask = async <T>(mask: number, act: () => Promise<T>): Promise<T> => {
  const before = process.umask(mask);
  try {
    return await act();
  } finally {
    process.umask(before);
  }
};
const file = (path: string, text: string | Buffer, mode = 0o644): Extract<Change, { kind: 'file' }> => ({
  ...{ kind: 'file', path, content: Buffer.from(text), mode, secret: false },
});

describe('files of a machine', () => {
  test.each([0o000, 0o022, 0o077])('have the mode that is asked for, whatever the umask (%i)', async (mask) => {
    const { root, host } = await rootedMachine();
    await withUmask(mask, async () => {
      for (const mode of [0o600, 0o644, 0o640, 0o755]) await host.apply(file(`/f${mode}`, 'x', mode), SIGNAL);
      await host.apply({ kind: 'directory', path: '/d', mode: 0o750 }, SIGNAL);
    });
    expect(await Promise.all(['f384', 'f420', 'f416', 'f493', 'd'].map((name) => modeOf(join(root, name))))).toEqual([
      '600',
      '644',
      '640',
      '755',
      '750',
    ]);
  });

  test.each([0o600, 0o640])('are never more open than mode %i, from the first byte on', async (mode) => {
    const { root, host } = await rootedMachine();
    const seen = new Set<string>();
    const big = Buffer.alloc(3 << 20, 'x');
    await withUmask(0, async () => {
      for (let round = 0; round < 10; round++) {
        let done = false;
        const writing = host.apply(file(`/secret${round}`, big, mode), SIGNAL).finally(() => {
          done = true;
        });
        while (!done) {
          for (const name of readdirSync(root)) {
            const now = lstatSync(join(root, name), { throwIfNoEntry: false });
            if (now !== undefined)
              seen.add(`${name.endsWith('.tmp') ? 'temporary' : 'final'} ${(now.mode & 0o777 & ~mode).toString(8)}`);
          }
          await setImmediate();
        }
        await writing;
      }
    });
    expect([...seen].sort()).toEqual(['final 0', 'temporary 0']);
  });

  test('are replaced at once: who has the old one open keeps it whole', async () => {
    const { root, host } = await rootedMachine();
    await host.apply(file('/a', 'old'), SIGNAL);
    const before = await lstat(join(root, 'a'));
    await host.apply(file('/a', 'new', 0o600), SIGNAL);
    const after = await lstat(join(root, 'a'));
    expect(after.ino).not.toBe(before.ino);
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('new');
    expect(await readdir(root)).toEqual(['a']);
  });

  test('leave nothing behind where they cannot be put: a directory is in the way', async () => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'd/full'), { recursive: true });
    const error = await joinErrorOf(() => host.apply(file('/d', 'x'), SIGNAL));
    expect(error).toMatchObject({ code: 'E_FILE', message: '/d: is a directory', exitCode: 6 });
    expect(await readdir(root)).toEqual(['d']);
    expect(await readdir(join(root, 'd'))).toEqual(['full']);
  });

  test.skipIf(process.getuid?.() === 0)(
    'leave nothing behind in a read-only directory (root is never refused)',
    async () => {
      const { root, host } = await rootedMachine();
      await mkdir(join(root, 'd'), { mode: 0o555 });
      const error = await joinErrorOf(() => host.apply(file('/d/x', 'x'), SIGNAL));
      expect(error).toMatchObject({ code: 'E_FILE', message: '/d/x: permission denied' });
      expect(await readdir(join(root, 'd'))).toEqual([]);
    },
  );

  test('cannot be below a file', async () => {
    const { root, host } = await rootedMachine();
    await writeFile(join(root, 'f'), 'x');
    expect(await joinErrorOf(() => host.apply(file('/f/x', 'x'), SIGNAL))).toMatchObject({ code: 'E_FILE' });
    expect(await readdir(root)).toEqual(['f']);
    expect(await host.read({ kind: 'file', path: '/f/x' }, SIGNAL)).toBeUndefined();
  });

  test('are read up to 4 MiB, and refused beyond', async () => {
    const { root, host } = await rootedMachine();
    await writeFile(join(root, 'big'), '');
    await truncate(join(root, 'big'), 4 << 20);
    expect((await host.read<'file'>({ kind: 'file', path: '/big' }, SIGNAL))?.length).toBe(4 << 20);
    await truncate(join(root, 'big'), (4 << 20) + 1);
    const error = await joinErrorOf(() => host.read({ kind: 'file', path: '/big' }, SIGNAL));
    expect([error.code, error.message]).toEqual(['E_FILE', '/big: is larger than 4194304 bytes']);
  });

  test('are absent, or are not files, and are said to be so', async () => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'd'));
    await writeFile(join(root, 'd/b'), '');
    await writeFile(join(root, 'd/a'), '');
    expect(await host.read({ kind: 'file', path: '/nothing' }, SIGNAL)).toBeUndefined();
    expect(await host.read({ kind: 'stat', path: '/nothing/below' }, SIGNAL)).toBeUndefined();
    expect(await host.read({ kind: 'list', path: '/nothing' }, SIGNAL)).toBeUndefined();
    expect(await host.read({ kind: 'list', path: '/d' }, SIGNAL)).toEqual(['a', 'b']);
    expect(await host.read({ kind: 'stat', path: '/d/' }, SIGNAL)).toMatchObject({ kind: 'directory', mode: 0o755 });
    expect(await host.read({ kind: 'stat', path: '/' }, SIGNAL)).toMatchObject({ kind: 'directory' });
    const error = await joinErrorOf(() => host.read({ kind: 'file', path: '/d' }, SIGNAL));
    expect([error.code, error.message]).toEqual(['E_FILE', '/d: is not a file']);
  });

  test('are removed, which is nothing where there is none; a directory goes only when it is empty', async () => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'empty'));
    await mkdir(join(root, 'full/x'), { recursive: true });
    await writeFile(join(root, 'f'), '');
    for (const path of ['/f', '/f', '/empty', '/full']) await host.apply({ kind: 'remove', path }, SIGNAL);
    expect(await readdir(root)).toEqual(['full']);
  });
});

describe('links', () => {
  const outside = 'OUTSIDE';
  /** A root with a neighbour that nothing may reach. */
  async function linked() {
    const machine = await rootedMachine();
    const beside = await scratch();
    await writeFile(join(beside, 'secret'), outside);
    await mkdir(join(machine.root, 'etc/sub'), { recursive: true });
    await writeFile(join(machine.root, 'etc/sub/file'), 'inside');
    return {
      ...machine,
      beside,
      text: async (path: string) => (await machine.host.read<'file'>({ kind: 'file', path }, SIGNAL))?.toString(),
    };
  }

  test.each([
    ['relative', 'etc/rel', 'sub/file'],
    ['absolute, which means the root of the machine', 'etc/abs', '/etc/sub/file'],
    ['with dots', 'etc/dots', '../etc/./sub/../sub/file'],
    ['that climbs above the root, which has no above', 'etc/up', '../../../../../../etc/sub/file'],
  ])('are followed inside the root: %s', async (_, path, target) => {
    const { root, text } = await linked();
    await symlink(target, join(root, path));
    expect(await text(`/${path}`)).toBe('inside');
  });

  test('never lead out of the root, neither to read nor to write', async () => {
    const { root, beside, host, text } = await linked();
    await symlink(beside, join(root, 'absolute'));
    await symlink(`${'../../'.repeat(20)}${beside.slice(1)}`, join(root, 'relative'));
    await symlink(join(beside, 'secret'), join(root, 'file'));
    for (const path of ['/absolute/secret', '/relative/secret', '/file', `/..${beside}/secret`])
      expect(await text(path)).toBeUndefined();
    expect(await host.read({ kind: 'list', path: '/absolute' }, SIGNAL)).toBeUndefined();
    await thrownBy(() => host.apply(file('/absolute/made', 'x'), SIGNAL));
    await host.apply(file('/file', 'x'), SIGNAL);
    expect(await readdir(beside)).toEqual(['secret']);
    expect(await readFile(join(beside, 'secret'), 'utf8')).toBe(outside);
  });

  test('in a circle end with an error', async () => {
    const { root, text, host } = await linked();
    await symlink('b', join(root, 'a'));
    await symlink('a', join(root, 'b'));
    const error = await joinErrorOf(() => text('/a'));
    expect([error.code, error.message]).toEqual(['E_FILE', '/a: too many links']);
    expect(await host.read({ kind: 'stat', path: '/a' }, SIGNAL)).toMatchObject({
      kind: 'link',
      mode: 0o777,
      target: 'b',
    });
  });

  test('to directories are followed to write below them', async () => {
    const { root, host } = await linked();
    await mkdir(join(root, 'var'));
    await mkdir(join(root, 'run'));
    await symlink('/run', join(root, 'var/run'));
    await host.apply(file('/var/run/x', 'here'), SIGNAL);
    expect(await readFile(join(root, 'run/x'), 'utf8')).toBe('here');
  });

  test('are replaced by a file of their name, and what they led to stays', async () => {
    const { root, host } = await linked();
    await symlink('sub/file', join(root, 'etc/rel'));
    await host.apply(file('/etc/rel', 'new'), SIGNAL);
    expect((await lstat(join(root, 'etc/rel'))).isFile()).toBe(true);
    expect(await readFile(join(root, 'etc/sub/file'), 'utf8')).toBe('inside');
  });

  test('are made and turned, but never put over a file', async () => {
    const { root, host } = await linked();
    const link = (path: string, target: string) => host.apply({ kind: 'link', path, target }, SIGNAL);
    await link('/etc/l', 'one');
    await link('/etc/l', 'two');
    expect(await readlink(join(root, 'etc/l'))).toBe('two');
    const error = await joinErrorOf(() => link('/etc/sub/file', 'one'));
    expect([error.code, error.message]).toEqual([
      'E_FILE',
      expect.stringMatching(/etc\/sub\/file: is in the way of a link$/),
    ]);
    expect(await readdir(join(root, 'etc'))).toEqual(['l', 'sub']);
    expect(await readdir(join(root, 'etc/sub'))).toEqual(['file']);
  });
});

describe('ports', () => {
  const identity: Identity = { server: 'https://c:6443', ca: 'CA', token: new Secret('t') };
  const ok = (body: unknown, status = 200): ApiAnswer => ({ status, body, clockSkewMs: 0 });
  const node = { metadata: { name: 'w1' } };
  const every = [
    writes('/etc/a', 0o644, 'x'),
    controls('kubelet', ['start', 'stop', 'reload'], 'x'),
    runs('kubelet', 'x'),
    apiCalls(['get', 'create', 'patch', 'watch'], 'nodes', 'x'),
    apiCalls(['get'], 'configmaps', 'x'),
  ];
  const host = () =>
    memoryHost({
      programs: ['kubelet'],
      outputs: { kubelet: {} },
      services: { kubelet: { unit: 'unit' } },
      send: () => ok(node),
      wait: async () => node,
      runtimes: { '/run/x.sock': {} },
    });
  type Act = (ports: ReturnType<typeof portsOn>['ports']) => unknown;
  const asking: Record<string, Act> = {
    'files.read': ({ files }) => files.read('/etc/a'),
    'files.stat': ({ files }) => files.stat('/etc/a'),
    'files.list': ({ files }) => files.list('/etc'),
    'services.status': ({ services }) => services.status('kubelet'),
    'services.unit': ({ services }) => services.unit('kubelet'),
    'services.waitHealthy': ({ services }) => services.waitHealthy('kubelet', 'http://127.0.0.1'),
    'commands.find': ({ commands }) => commands.find('kubelet'),
    'runtime.status': ({ runtime }) => runtime.status('/run/x.sock'),
    'runtime.cgroupDriver': ({ runtime }) => runtime.cgroupDriver('/run/x.sock'),
    'random.once': ({ random }) => random.once('x', () => 'y'),
    'kube.can': ({ kube }) => kube.as(identity).can('create', '', 'nodes'),
  };
  const declared: Record<string, [Act, string]> = {
    'files.write': [({ files }) => files.write('/etc/a', 'x', 0o644), 'file /etc/a'],
    'files.directory': [({ files }) => files.directory('/etc/a', 0o755), 'directory /etc/a'],
    'files.link': [({ files }) => files.link('/etc/a', 'b'), 'link /etc/a'],
    'services.start': [({ services }) => services.start('kubelet'), 'start service kubelet'],
    'services.stop': [({ services }) => services.stop('kubelet'), 'stop service kubelet'],
    'services.reload': [({ services }) => services.reload('kubelet'), 'reload service kubelet'],
    'commands.query': [({ commands }) => commands.query(['kubelet']), 'run kubelet'],
    'commands.run': [({ commands }) => commands.run(['kubelet'], { irreversible: 'x' }), 'run kubelet'],
    'kube.clusterInfo': [({ kube }) => kube.clusterInfo(identity.server, 'unverified'), 'get configmaps'],
    'kube.get': [({ kube }) => kube.as(identity).get(nodeRef('w1')), 'get nodes'],
    'kube.create': [({ kube }) => kube.as(identity).create(nodeRef('w1'), node), 'create nodes'],
    'kube.patch': [({ kube }) => kube.as(identity).patch(nodeRef('w1'), {}), 'patch nodes'],
    'kube.waitFor': [({ kube }) => kube.as(identity).waitFor(nodeRef('w1'), () => true), 'watch nodes'],
  };

  test.each(Object.keys(declared))('refuse %s where it is not declared, and do nothing', async (name) => {
    const [act, what] = declared[name] ?? [() => undefined, ''];
    const machine = host();
    const { ports, changes, recorded } = portsOn(machine, []);
    const error = await joinErrorOf(() => act(ports));
    expect(error).toMatchObject({
      code: 'E_EFFECT_UNDECLARED',
      message: `a phase attempted something that it does not declare: ${what}`,
      facts: { what },
      exitCode: 1,
    });
    expect([machine.changes, machine.sent, changes, recorded]).toEqual([[], [], [], []]);
    await act(portsOn(host(), every).ports); // and not for any other reason
  });

  test('refuse to remove what is not declared', async () => {
    const machine = memoryHost({ files: { '/etc/a': 'x', '/etc/b': 'x' } });
    const { ports } = portsOn(machine, every);
    const error = await joinErrorOf(() => ports.files.remove('/etc/b'));
    expect([error.code, error.message]).toEqual([
      'E_EFFECT_UNDECLARED',
      'a phase attempted something that it does not declare: remove /etc/b',
    ]);
    await ports.files.remove('/etc/a');
    expect(machine.changes).toEqual([{ kind: 'remove', path: '/etc/a' }]);
  });

  test('refuse an action, a verb or a program beside the declared ones', async () => {
    const effects = [controls('kubelet', ['stop'], 'x'), apiCalls(['get'], 'nodes', 'x'), runs('crictl', 'x')];
    const { ports } = portsOn(host(), effects);
    const acts = ['services.start', 'kube.patch', 'kube.create', 'kube.waitFor', 'commands.query', 'commands.run'];
    for (const name of acts)
      expect(await joinErrorOf(() => declared[name]?.[0](ports))).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
    await ports.services.stop('kubelet');
    await ports.kube.as(identity).get(nodeRef('w1'));
  });

  test.each([...Object.keys(asking), ...Object.keys(declared)])(
    'refuse %s once the attempt has ended, as a rejection',
    async (name) => {
      const act = asking[name] ?? declared[name]?.[0];
      if (act === undefined) throw new Error('no such call');
      const machine = host();
      const attempt = new AbortController();
      const { ports, changes } = portsOn(machine, every, { signal: attempt.signal });
      attempt.abort(new Error('over'));
      const promise = act(ports) as Promise<unknown>; // not thrown at once: a port that promises keeps its form
      expect(await joinErrorOf(() => promise)).toMatchObject({ code: 'E_ATTEMPT_ENDED', exitCode: 1 });
      expect([machine.changes, machine.sent, changes]).toEqual([[], [], []]);
      await act(portsOn(host(), every).ports);
    },
  );

  test.each([
    ['/a/b', '/a/b', true],
    ['/a/b', '/a/bc', false],
    ['/a/b', '/x/a/b', false],
    ['/a/*.pem', '/a/x.pem', true],
    ['/a/*.pem', '/a/x.pem.old', false],
    ['/a/*', '/a/b/c', false],
    ['/a.b', '/axb', false],
    ['{file}', '/etc/star*', true],
    ['{file}', '/etc/start', false],
    ['{file}.d/*', '/etc/star*.d/x', true],
    ['{nothing}', '/etc/x', false],
  ])('take the template %s to mean %s: %s', async (template, path, allowed) => {
    const { ports } = portsOn(memoryHost(), [writes(template, 0o644, 'x')], { input: { file: '/etc/star*' } });
    const writing = ports.files.write(path, 'x', 0o644).then(
      () => true,
      (error) => (error as { code?: string }).code,
    );
    expect(await writing).toBe(allowed || 'E_EFFECT_UNDECLARED');
  });

  test('refuse what is not declared also where it would change nothing', async () => {
    const machine = memoryHost({ files: { '/etc/a': 'same' }, services: { kubelet: {} } });
    const { files, services } = portsOn(machine).ports;
    const acts = [
      () => files.write('/etc/a', 'same', 0o644),
      () => files.directory('/etc', 0o755),
      () => files.remove('/etc/nothing'),
      () => services.stop('kubelet'),
    ];
    for (const act of acts) expect(await joinErrorOf(act)).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
  });

  test('change nothing where the machine is as it is wanted', async () => {
    const services = { running: { active: true }, stopped: {} };
    const machine = memoryHost({ files: { '/etc/a': 'same' }, directories: ['/etc/d'], services });
    await machine.apply({ kind: 'link', path: '/etc/l', target: 'a' }, SIGNAL);
    machine.changes.length = 0;
    const control = [controls('running', ['start'], 'x'), controls('stopped', ['stop'], 'x')];
    const { ports, changes, recorded } = portsOn(machine, [...ANYWHERE, ...control]);
    await ports.services.start('running');
    await ports.services.stop('stopped');
    await ports.files.write('/etc/a', 'same', 0o644);
    await ports.files.write('/etc/a', new Secret('same'), 0o644);
    await ports.files.directory('/etc/d', 0o700);
    await ports.files.link('/etc/l', 'a');
    await ports.files.remove('/etc/nothing');
    expect([machine.changes, changes, recorded]).toEqual([[], [], []]);
  });

  test('tell each change once, a secret without its content, and parents of their own', async () => {
    const machine = memoryHost({ files: { '/etc/a': 'old' } });
    const { ports, changes } = portsOn(machine, ANYWHERE);
    await ports.files.write('/etc/a', 'new', 0o644);
    await ports.files.write('/etc/a', 'new', 0o600);
    await ports.files.write('/var/lib/s', new Secret(CANARY), 0o600);
    await ports.files.link('/etc/l', 'a');
    expect(changes).toEqual([
      { kind: 'file', path: '/etc/a', action: 'replace', mode: 0o644, content: 'new' },
      { kind: 'file', path: '/etc/a', action: 'replace', mode: 0o600, content: 'new' },
      { kind: 'directory', path: '/var', mode: 0o755 },
      { kind: 'directory', path: '/var/lib', mode: 0o755 },
      { kind: 'file', path: '/var/lib/s', action: 'create', mode: 0o600, content: undefined },
      { kind: 'link', path: '/etc/l', target: 'a' },
    ]);
    expect(shownOf(changes)).not.toContain(CANARY);
    expect(machine.changes).toHaveLength(changes.length);
  });

  test('make parents 0755, whatever the umask', async () => {
    const { root, host: machine } = await rootedMachine();
    const { ports } = portsOn(machine, ANYWHERE);
    await withUmask(0o077, () => ports.files.write('/etc/kubernetes/x', 'y', 0o600));
    expect([await modeOf(join(root, 'etc')), await modeOf(join(root, 'etc/kubernetes'))]).toEqual(['755', '755']);
  });

  test.each([
    [401, 'E_API_UNAUTHORIZED', false],
    [403, 'E_API_FORBIDDEN', false],
    [422, 'E_API_REFUSED', false],
    [429, 'E_API_UNAVAILABLE', true],
    [500, 'E_API_UNAVAILABLE', true],
    [503, 'E_API_UNAVAILABLE', true],
  ])('turn the answer %i into %s', async (status, code, transient) => {
    const machine = memoryHost({ send: () => ok({ message: 'said\u001b[31m so' }, status) });
    const { ports, changes } = portsOn(machine, every);
    const error = await joinErrorOf(() => ports.kube.as(identity).patch(nodeRef('w1'), {}));
    expect(error).toMatchObject({ code, transient });
    expect(error.message).not.toContain('\u001b');
    expect(changes).toEqual([]);
  });

  test('say that an object is not there, or that its name is taken', async () => {
    const at = (status: number) => portsOn(memoryHost({ send: () => ok({}, status) }), every).ports.kube.as(identity);
    expect(await at(404).get(nodeRef('w1'))).toBeUndefined();
    expect(await at(409).create(nodeRef('w1'), node)).toBeUndefined();
    expect(await joinErrorOf(() => at(200).get(nodeRef('w1')))).toMatchObject({ code: 'E_API_ANSWER' });
  });

  test('ask for cluster-info without credentials, and believe what they are told to believe', async () => {
    const machine = memoryHost({
      send: () => ({ ...ok({ metadata: {}, data: { kubeconfig: 'k' } }), clockSkewMs: 7 }),
    });
    const { ports } = portsOn(machine, every);
    expect(await ports.kube.clusterInfo('https://c:6443', 'unverified')).toEqual({
      data: { kubeconfig: 'k' },
      clockSkewMs: 7,
    });
    await ports.kube.clusterInfo('https://c:6443', { ca: 'CA' });
    const ref = configMapRef('kube-public', 'cluster-info');
    const common = {
      server: 'https://c:6443',
      method: 'GET',
      ref,
      path: '/api/v1/namespaces/kube-public/configmaps/cluster-info',
      query: {},
      body: undefined,
    };
    expect(machine.sent).toEqual([
      { ...common, as: 'unverified' },
      { ...common, as: { ca: 'CA' } },
    ]);
  });
});

describe('a dry run', () => {
  const token: Identity = { server: 'https://c:6443', ca: 'CA', token: new Secret('t') };
  const version = (minor: string, major = '1'): ApiAnswer => ({
    status: 200,
    body: { major, minor },
    clockSkewMs: undefined,
  });
  const stored = (request: ApiRequest): ApiAnswer => ({
    status: 201,
    body: { ...request.body, metadata: { name: 'n', uid: 'real' } },
    clockSkewMs: 5,
  });
  const request = (change: Partial<ApiRequest>): ApiRequest => ({
    ...{
      server: token.server,
      as: token,
      method: 'GET',
      ref: nodeRef('w1'),
      path: '/api/v1/nodes/w1',
      query: {},
      body: undefined,
    },
    ...change,
  });
  const post = request({ method: 'POST', path: '/api/v1/nodes', body: { metadata: { name: 'w1' } } });
  const patch = request({ method: 'PATCH', body: { metadata: { labels: { a: 'b' } } } });
  const serving = (answer: (request: ApiRequest) => ApiAnswer = stored, minor = '20') =>
    memoryHost({ send: (sent) => (sent.path === '/version' ? version(minor) : answer(sent)) });

  test('reads its own changes back, and changes nothing', async () => {
    const inner = memoryHost({
      files: { '/etc/a': 'real', '/etc/b': 'real' },
      services: { kubelet: { active: true, unit: 'unit' } },
    });
    const dry = recordingHost(inner);
    const changes: Change[] = [
      file('/etc/a', 'planned', 0o600),
      { kind: 'remove', path: '/etc/b' },
      file('/etc/d/c', 'new'),
      { kind: 'link', path: '/etc/l', target: 'd/c' },
      { kind: 'directory', path: '/var/x', mode: 0o700 },
      { kind: 'service', name: 'kubelet', action: 'stop' },
      { kind: 'command', argv: ['rm', '-rf', '/'], undo: undefined, irreversible: 'x' },
    ];
    for (const change of changes) await dry.apply(change, SIGNAL);
    const read = async (path: string) => (await dry.read<'file'>({ kind: 'file', path }, SIGNAL))?.toString();
    expect([await read('/etc/a'), await read('/etc/b'), await read('/etc/d/c'), await read('/etc/l')]).toEqual([
      'planned',
      undefined,
      'new',
      'new',
    ]);
    const stats = ['/etc/a', '/etc/b', '/etc/l', '/var/x'].map((path) =>
      dry.read<'stat'>({ kind: 'stat', path }, SIGNAL),
    );
    expect(await Promise.all(stats)).toEqual([
      { kind: 'file', mode: 0o600 },
      undefined,
      { kind: 'link', mode: 0o777, target: 'd/c' },
      { kind: 'directory', mode: 0o700 },
    ]);
    expect(await dry.read({ kind: 'list', path: '/etc' }, SIGNAL)).toEqual(['a', 'd', 'l']);
    expect(await dry.read({ kind: 'list', path: '/var' }, SIGNAL)).toEqual(['x']);
    expect(await dry.read({ kind: 'list', path: '/nothing' }, SIGNAL)).toBeUndefined();
    expect(await dry.read<'service'>({ kind: 'service', name: 'kubelet' }, SIGNAL)).toMatchObject({
      exists: true,
      active: false,
    });
    expect(await dry.read({ kind: 'unit', name: 'kubelet' }, SIGNAL)).toBe('unit');
    expect([inner.changes, inner.sent]).toEqual([[], []]);
  });

  test('follows a recorded link to what is really there, and not in a circle', async () => {
    const dry = recordingHost(memoryHost({ files: { '/etc/real': 'real', '/etc/old': 'old' } }));
    await dry.apply({ kind: 'link', path: '/etc/l', target: 'm' }, SIGNAL);
    await dry.apply({ kind: 'link', path: '/etc/m', target: '/etc/real' }, SIGNAL);
    expect((await dry.read<'file'>({ kind: 'file', path: '/etc/l' }, SIGNAL))?.toString()).toBe('real');
    await dry.apply({ kind: 'link', path: '/etc/m', target: 'l' }, SIGNAL);
    expect(await joinErrorOf(() => dry.read({ kind: 'file', path: '/etc/l' }, SIGNAL))).toMatchObject({
      code: 'E_FILE',
      message: '/etc/l: too many links',
    });
  });

  test('sends changes of the cluster with dryRun=All, and nothing else', async () => {
    const inner = serving();
    const dry = recordingHost(inner);
    const review = request({
      method: 'POST',
      ref: undefined,
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {},
    });
    const ofAnother = { ...patch, path: '/api/v1/nodes/w2', ref: nodeRef('w2') };
    for (const one of [request({}), review, post, ofAnother]) await dry.send(one, SIGNAL);
    expect(inner.sent.map(({ method, path, query }) => [method, path, query])).toEqual([
      ['GET', '/api/v1/nodes/w1', {}],
      ['POST', review.path, {}],
      ['GET', '/version', {}],
      ['POST', '/api/v1/nodes', { dryRun: 'All' }],
      ['PATCH', '/api/v1/nodes/w2', { dryRun: 'All' }],
    ]);
    expect(await recordingHost(inner).send(post, SIGNAL)).toEqual({ ...stored(post), dryRun: 'checked' });
  });

  test('knows what it would have made of the cluster: a name is taken, and what was changed is read so', async () => {
    const storing = serving(({ body }) => ({ status: 201, body, clockSkewMs: 0 }));
    const { ports, changes } = portsOn(recordingHost(storing), [apiCalls(['get', 'create', 'patch'], 'nodes', 'x')]);
    const api = ports.kube.as(token);
    const node = { metadata: { name: 'w1', labels: { a: 'b' } } };
    expect(await api.create(nodeRef('w1'), node)).toMatchObject(node);
    expect(await api.create(nodeRef('w1'), node)).toBeUndefined();
    expect(await api.get(nodeRef('w1'))).toMatchObject(node);
    await api.patch(nodeRef('w1'), { spec: { podCIDR: '10.0.0.0/24' } });
    expect(await api.get(nodeRef('w1'))).toMatchObject({ ...node, spec: { podCIDR: '10.0.0.0/24' } });
    expect(changes).toMatchObject([
      { verb: 'create', checked: 'dry-run' },
      { verb: 'patch', checked: 'not-checked', why: 'the object does not exist yet' },
    ]);
  });

  test.each([
    ['12', '1', 'not checked'],
    ['12+', '1', 'not checked'],
    ['9', '1', 'not checked'],
    ['', '', 'not checked'],
    ['13', '1', 'checked'],
    ['28+', '1', 'checked'],
    ['0', '2', 'checked'],
  ])('of a server with minor version "%s" of %s is %s', async (minor, major, expected) => {
    const inner = memoryHost({ send: (sent) => (sent.path === '/version' ? version(minor, major) : stored(sent)) });
    const answer = await recordingHost(inner).send(post, SIGNAL);
    const mutations = inner.sent.filter(({ method }) => method !== 'GET');
    if (expected === 'checked') {
      expect(answer.dryRun).toBe('checked');
      expect(mutations.map(({ query }) => query)).toEqual([{ dryRun: 'All' }]);
    } else {
      expect(answer).toMatchObject({
        status: 201,
        dryRun: { unchecked: 'the server does not report version 1.13 or newer, and older ones cannot check' },
        body: { metadata: { name: 'w1', uid: 'stand-in' } },
      });
      expect(mutations).toEqual([]);
    }
  });

  test('asks for the version again where that failed', async () => {
    let asked = 0;
    const inner = memoryHost({
      send(sent) {
        if (sent.path === '/version' && ++asked === 1)
          throw fail('E_API_UNREACHABLE', { server: sent.server, what: 'reset' });
        return sent.path === '/version' ? version('20') : stored(sent);
      },
    });
    const dry = recordingHost(inner);
    expect(await joinErrorOf(() => dry.send(post, SIGNAL))).toMatchObject({ code: 'E_API_UNREACHABLE' });
    expect((await dry.send(post, SIGNAL)).dryRun).toBe('checked');
  });

  test('plans what an admission webhook cannot check, and says so', async () => {
    const refusal = {
      status: 400,
      body: { message: 'admission webhook "x" does not support dry run' },
      clockSkewMs: 0,
    };
    const { ports, changes } = portsOn(recordingHost(serving(() => refusal)), [
      apiCalls(['create', 'patch'], 'nodes', 'x'),
    ]);
    await ports.kube.as(token).create(nodeRef('w1'), { metadata: { name: 'w1' } });
    await ports.kube.as(token).patch(nodeRef('w2'), { metadata: {} });
    const told = {
      kind: 'api',
      resource: 'nodes',
      checked: 'not-checked',
      why: 'an admission webhook of the cluster does not support dry runs',
    };
    expect(changes).toEqual([
      { ...told, name: 'w1', verb: 'create' },
      { ...told, name: 'w2', verb: 'patch' },
    ]);
  });

  test.each([401, 403, 409, 422])('gives the answer %i as it comes', async (status) => {
    const answer = await recordingHost(serving(() => ({ status, body: { message: 'no' }, clockSkewMs: 0 }))).send(
      post,
      SIGNAL,
    );
    expect(answer.status).toBe(status);
  });

  const key = generateKeyPem();
  const csr: CsrObject = {
    metadata: { name: 'csr' },
    spec: {
      request: Buffer.from(createCsr(key, { commonName: 'system:node:w1', organizations: ['system:nodes'] })).toString(
        'base64',
      ),
      signerName: 's',
      usages: [],
    },
  };
  const standInFor = async (dry: Host): Promise<Identity> => {
    const done = (object: unknown) => (object as CsrObject).status?.certificate !== undefined;
    const signed = (await dry.wait(
      { kind: 'object', as: token, ref: csrRef('csr'), done, from: csr },
      SIGNAL,
    )) as CsrObject;
    const pem = Buffer.from(signed.status?.certificate ?? '', 'base64').toString();
    return { server: token.server, ca: 'CA', certificate: { pem, key: new Secret(key) } };
  };

  test('waits for nothing: a certificate is issued that fits the request, a Node is Ready', async () => {
    const inner = serving(() => ({ status: 404, body: {}, clockSkewMs: 0 }));
    const dry = recordingHost(inner);
    const { certificate } = await standInFor(dry);
    const [leaf] = readCertificates(certificate?.pem ?? '');
    expect(leaf).toMatchObject({
      commonName: 'system:node:w1',
      organizations: ['system:nodes'],
      extendedKeyUsages: ['1.3.6.1.5.5.7.3.2'],
    });
    const node = await dry.wait(
      { kind: 'object', as: token, ref: nodeRef('w1'), done: (found) => isReady(found as NodeObject), from: undefined },
      SIGNAL,
    );
    expect(node).toEqual({
      metadata: { name: 'w1', uid: 'stand-in', labels: { 'kubernetes.io/hostname': 'w1' } },
      status: { nodeInfo: { kubeletVersion: 'dry run' }, conditions: [{ type: 'Ready', status: 'True' }] },
    });
    expect(await dry.wait({ kind: 'healthy', service: 'kubelet', url: 'http://127.0.0.1:1' }, SIGNAL)).toBeUndefined();
  });

  test('takes an object that is there already for what it is', async () => {
    const real = {
      metadata: { name: 'w1', annotations: { a: 'b' } },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    };
    const dry = recordingHost(serving(() => ({ status: 200, body: real, clockSkewMs: 0 })));
    const wait = (done: (found: unknown) => boolean) =>
      dry.wait({ kind: 'object', as: token, ref: nodeRef('w1'), done, from: undefined }, SIGNAL);
    expect(await wait((found) => isReady(found as NodeObject))).toEqual(real);
    const later = await wait((found) => (found as NodeObject).status?.nodeInfo !== undefined);
    expect(later).toMatchObject({
      metadata: { annotations: { a: 'b' } },
      status: { nodeInfo: { kubeletVersion: 'dry run' } },
    });
  });

  test('is undecided where nobody can know', async () => {
    const dry = recordingHost(serving(() => ({ status: 404, body: {}, clockSkewMs: 0 })));
    const wait = (ref = configMapRef('ns', 'x'), done: (found: unknown) => boolean = () => true) =>
      joinErrorOf(() => dry.wait({ kind: 'object', as: token, ref, done, from: undefined }, SIGNAL));
    expect(await wait()).toMatchObject({
      code: 'E_UNDECIDED',
      message: 'a dry run cannot know what becomes of configmaps x',
    });
    expect(await wait(nodeRef('w1'), () => false)).toMatchObject({
      code: 'E_UNDECIDED',
      message: 'a dry run cannot know when nodes w1 is done',
    });
    expect(await wait(csrRef('c'))).toMatchObject({ code: 'E_UNDECIDED' });
  });

  test('never sends anything in the name of an identity that does not exist', async () => {
    const inner = serving();
    const dry = recordingHost(inner);
    const as = await standInFor(dry);
    inner.sent.length = 0;
    expect(await dry.send({ ...patch, as }, SIGNAL)).toEqual({
      status: 200,
      body: { metadata: { uid: 'stand-in', name: 'w1', labels: { a: 'b' } } },
      clockSkewMs: undefined,
      dryRun: { unchecked: 'the identity does not exist yet' },
    });
    expect(await joinErrorOf(() => dry.send({ ...request({}), as }, SIGNAL))).toMatchObject({ code: 'E_UNDECIDED' });
    expect(await joinErrorOf(() => dry.send({ ...post, ref: undefined, as }, SIGNAL))).toMatchObject({
      code: 'E_UNDECIDED',
    });
    await dry.wait({ kind: 'object', as, ref: nodeRef('w1'), done: () => true, from: undefined }, SIGNAL);
    expect(inner.sent).toEqual([]);
  });
});

describe('the memory host', () => {
  test('has the container runtimes that it was told of', async () => {
    const { ports } = portsOn(
      memoryHost({ runtimes: { '/run/x.sock': { version: '2.0.1', cgroupDriver: 'systemd' } } }),
    );
    expect(await ports.runtime.status('unix:///run/x.sock')).toEqual({
      ...{ name: 'containerd', version: '2.0.1', apiVersion: 'v1', ready: true, message: '' },
    });
    expect(await ports.runtime.cgroupDriver('/run/x.sock')).toBe('systemd');
    for (const ask of [ports.runtime.status, ports.runtime.cgroupDriver])
      expect(await joinErrorOf(() => ask('/run/y.sock'))).toMatchObject({ code: 'E_CRI_UNREACHABLE' });
  });

  test('refuses what it was not told about', async () => {
    const host = memoryHost();
    const request = {
      server: 's',
      as: 'unverified',
      method: 'GET',
      ref: undefined,
      path: '/x',
      query: {},
      body: undefined,
    } as const;
    const refused = [
      () => host.read({ kind: 'output', argv: ['kubelet', '--version'] }, SIGNAL),
      () => host.send(request, SIGNAL),
      () => host.wait({ kind: 'healthy', service: 'kubelet', url: 'u' }, SIGNAL),
    ];
    const messages = [];
    for (const act of refused) messages.push((await thrownBy(act)) as Error);
    expect(messages.map(({ message }) => message)).toEqual([
      'the memory host is not prepared to run kubelet --version',
      'the memory host is not prepared to answer /x',
      'the memory host is not prepared to wait for healthy',
    ]);
    expect(await host.read({ kind: 'program', name: 'kubelet' }, SIGNAL)).toBeUndefined();
    expect(await host.read<'service'>({ kind: 'service', name: 'kubelet' }, SIGNAL)).toMatchObject({ exists: false });
    expect(await host.read({ kind: 'stat', path: '/' }, SIGNAL)).toEqual({ kind: 'directory', mode: 0o755 });
  });
});

describe('commands of a machine', () => {
  const output = async (host: Host, ...argv: string[]) => host.read<'output'>({ kind: 'output', argv }, SIGNAL);

  test('are found on its own PATH, and only there below a root', async () => {
    const { root, host } = await rootedMachine({ kubelet: 'true' });
    await writeFile(join(root, 'usr/bin/data'), 'not executable', { mode: 0o644 });
    expect(await host.read({ kind: 'program', name: 'kubelet' }, SIGNAL)).toBe(join(root, 'usr/bin/kubelet'));
    expect(await host.read({ kind: 'program', name: 'data' }, SIGNAL)).toBeUndefined();
    expect(await host.read({ kind: 'program', name: 'sh' }, SIGNAL)).toBeUndefined();
    expect(await joinErrorOf(() => output(host, 'sh'))).toMatchObject({
      code: 'E_COMMAND_FAILED',
      message: 'sh exited with code 127: no sh on PATH',
    });
  });

  test('are run with a small environment, and nothing of ours', async () => {
    process.env.JOINERY_TEST_CANARY = CANARY;
    onTestFinished(() => {
      delete process.env.JOINERY_TEST_CANARY;
    });
    const { root, host } = await rootedMachine({ show: 'env' });
    const { stdout } = await output(host, 'show');
    const names = stdout
      .split('\n')
      .map((line) => line.split('=')[0] ?? '')
      .filter((name) => !['', '_', 'PWD', 'SHLVL', 'OLDPWD'].includes(name));
    expect(names.sort()).toEqual(['HOME', 'JOINERY_ROOT', 'LANG', 'PATH']);
    expect(stdout).toContain(`JOINERY_ROOT=${root}\n`);
    expect(stdout).toContain('LANG=C\n');
    expect(stdout).not.toContain(CANARY);
  });

  test('give exit code and output; to change the machine they must exit 0', async () => {
    const { host } = await rootedMachine({ fails: 'echo out; echo "wrong $1" >&2; exit 3' });
    expect(await output(host, 'fails', 'a b')).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'wrong a b\n' });
    const change: Change = { kind: 'command', argv: ['fails', 'x'], undo: undefined, irreversible: 'y' };
    expect(await joinErrorOf(() => host.apply(change, SIGNAL))).toMatchObject({
      code: 'E_COMMAND_FAILED',
      facts: { command: 'fails x', exitCode: 3, output: 'wrong x' },
    });
  });

  test('may print a mebibyte and no more', async () => {
    const { host } = await rootedMachine({ prints: 'head -c "$1" /dev/zero | tr "\\\\0" x' });
    expect((await output(host, 'prints', String(1 << 20))).stdout).toHaveLength(1 << 20);
    expect(await joinErrorOf(() => output(host, 'prints', String((1 << 20) + 1)))).toMatchObject({
      code: 'E_COMMAND_FAILED',
      message: expect.stringContaining('maxBuffer'),
    });
  });

  test('are ended after their time, even those that ignore being asked', async () => {
    const { root } = await rootedMachine({ deaf: "trap '' TERM; while :; do sleep 0.05; done" });
    const begun = performance.now();
    const error = await joinErrorOf(() => new MachineCommands(root, 200).run(['deaf'], SIGNAL));
    expect([error.code, error.message]).toEqual(['E_COMMAND_FAILED', 'deaf exited with code 1: not done after 0.2 s']);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('end with the attempt, for its reason', async () => {
    const { host } = await rootedMachine({ slow: 'sleep 60' });
    const attempt = new AbortController();
    const reason = fail('E_CANCELLED', { signal: 'SIGINT' });
    setTimeout(() => attempt.abort(reason), 50);
    expect(await thrownBy(() => host.read({ kind: 'output', argv: ['slow'] }, attempt.signal))).toBe(reason);
  });
});

describe('services of a machine', () => {
  const status = (host: Host) => host.read<'service'>({ kind: 'service', name: 'kubelet' }, SIGNAL);
  const shown = (properties: Record<string, string>) =>
    Object.entries(properties)
      .map(([name, value]) => `echo ${name}=${value}`)
      .join('\n');
  const running = {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    NRestarts: '0',
  };

  test.each([
    ['running', {}, { exists: true, enabled: true, active: true, failed: false }],
    ['starting', { ActiveState: 'activating' }, { exists: true, enabled: true, active: true, failed: false }],
    ['failed', { ActiveState: 'failed' }, { exists: true, enabled: true, active: false, failed: true }],
    [
      'restarted in vain',
      { ActiveState: 'activating', NRestarts: '3' },
      { exists: true, enabled: true, active: true, failed: true },
    ],
    ['disabled', { UnitFileState: 'disabled' }, { exists: true, enabled: false, active: true, failed: false }],
    [
      'masked',
      { LoadState: 'masked', UnitFileState: 'masked', ActiveState: 'inactive' },
      { exists: false, enabled: false, masked: true, active: false, failed: true },
    ],
    ['static', { UnitFileState: 'static' }, { exists: true, enabled: true, active: true, failed: false }],
    [
      'unknown',
      { LoadState: 'not-found', ActiveState: 'inactive', UnitFileState: '' },
      { exists: false, enabled: true, active: false, failed: true },
    ],
  ])('that is %s under systemd is seen so', async (_, properties, expected) => {
    const { host } = await rootedMachine({ systemctl: shown({ ...running, ...properties }) });
    expect(await status(host)).toEqual({ manager: 'systemd', ...expected });
  });

  test('are asked for and told by systemctl with these words', async () => {
    const { root, host } = await rootedMachine({ systemctl: 'echo "$@" >> "$JOINERY_ROOT/log"; echo "[Unit] $2"' });
    await status(host);
    expect(await host.read({ kind: 'unit', name: 'kubelet' }, SIGNAL)).toBe('[Unit] kubelet\n');
    for (const action of ['start', 'stop', 'reload'] as const)
      await host.apply({ kind: 'service', name: 'kubelet', action }, SIGNAL);
    expect((await readFile(join(root, 'log'), 'utf8')).split('\n')).toEqual([
      'show kubelet --property=LoadState,ActiveState,SubState,UnitFileState,NRestarts',
      'cat kubelet',
      'start kubelet',
      'stop kubelet',
      'daemon-reload',
      '',
    ]);
  });

  test('whose manager refuses end with an error that says what it said', async () => {
    const { host } = await rootedMachine({ systemctl: 'echo "Unit not found." >&2; exit 5' });
    const error = await joinErrorOf(() => host.apply({ kind: 'service', name: 'kubelet', action: 'start' }, SIGNAL));
    expect([error.code, error.message]).toEqual([
      'E_COMMAND_FAILED',
      'systemctl start kubelet exited with code 5: Unit not found.',
    ]);
    expect(await host.read({ kind: 'unit', name: 'kubelet' }, SIGNAL)).toBeUndefined();
  });

  test.each([
    ['echo " * status: started"', 'kubelet | default', { exists: true, enabled: true, active: true, failed: false }],
    ['echo " * status: stopped"; exit 3', '', { exists: true, enabled: false, active: false, failed: true }],
    [
      'echo " * status: crashed"; exit 32',
      'kubelet | default',
      { exists: true, enabled: true, active: false, failed: true },
    ],
    [
      'echo " * rc-service: service kubelet does not exist" >&2; exit 1',
      '',
      { exists: false, enabled: false, active: false, failed: true },
    ],
  ])('are seen under OpenRC: %s', async (service, levels, expected) => {
    const { host } = await rootedMachine({ openrc: 'true', 'rc-service': service, 'rc-update': `echo "${levels}"` });
    expect(await status(host)).toEqual({ manager: 'openrc', ...expected });
  });

  test('without a manager are not there, and starting one is nothing', async () => {
    const { host } = await rootedMachine();
    expect(await status(host)).toEqual({
      manager: 'none',
      exists: false,
      enabled: false,
      active: false,
      failed: false,
    });
    await host.apply({ kind: 'service', name: 'kubelet', action: 'start' }, SIGNAL);
    expect(await host.read({ kind: 'unit', name: 'kubelet' }, SIGNAL)).toBeUndefined();
  });

  async function answering(status: () => number): Promise<string> {
    const server = createServer((_, response) => response.writeHead(status()).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/healthz`;
  }

  test('are healthy as soon as they answer 200', async () => {
    const { host } = await rootedMachine({ systemctl: shown(running) });
    let asked = 0;
    const url = await answering(() => (++asked < 4 ? 500 : 200));
    expect(await host.wait({ kind: 'healthy', service: 'kubelet', url }, SIGNAL)).toBeUndefined();
    expect(asked).toBe(4);
  });

  test('that their manager has given up are failed, with their last fatal words', async () => {
    const { host } = await rootedMachine({
      systemctl: shown({ ...running, ActiveState: 'failed' }),
      journalctl: 'echo "I0101 starting"; echo "F0101 12:00:00 no such file: config.yaml"; echo "Main process exited"',
    });
    const url = await answering(() => 500);
    const error = await joinErrorOf(() => host.wait({ kind: 'healthy', service: 'kubelet', url }, SIGNAL));
    expect(error).toMatchObject({
      code: 'E_SERVICE_FAILED',
      facts: { service: 'kubelet', lastLine: 'F0101 12:00:00 no such file: config.yaml' },
    });
  });

  test('that do not become healthy in time say what they said last', async () => {
    const { host } = await rootedMachine({
      systemctl: shown(running),
      journalctl: 'printf "one\\ntwo \\033[31mred\\n\\n"',
    });
    const url = await answering(() => 503);
    const error = await joinErrorOf(() =>
      host.wait({ kind: 'healthy', service: 'kubelet', url }, AbortSignal.timeout(100)),
    );
    expect(error).toMatchObject({ code: 'E_HEALTH', facts: { service: 'kubelet', url, lastLine: 'two  [31mred' } });
  });
});

describe('facts of a machine', () => {
  test('are its name as kubeadm would take it, its kind, and that anybody may change what is below a root of his own', async () => {
    const root = await scratch();
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/hostname'), ' Worker-1\n');
    await writeFile(join(root, 'etc/os-release'), 'PRETTY_NAME="Debian"\nVERSION_ID="12"\nID=debian\n');
    const { realHost } = await import('../../../engine/host/real.ts');
    const host = await realHost(root, { access: kubeAccess });
    onTestFinished(() => host.close());
    const architecture = { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch;
    expect(host.facts).toEqual({ name: 'worker-1', privileged: true, architecture, distribution: 'debian' });
  });
});
