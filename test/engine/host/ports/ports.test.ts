import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configMapRef, nodeRef } from '../../../../engine/node/index.ts';
import type { ApiAnswer } from '../../../../engine/sdk/api.ts';
import { apiCalls, controls, type Identity, runs, Secret, writes } from '../../../../engine/sdk/index.ts';
import { memoryHost } from '../../../../engine/testing/memory-host.ts';
import { joinErrorOf, printedForms } from '../../../helpers/errors.ts';
import { portsOn, rootedMachine } from '../../../helpers/machine.ts';

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

  test.each(Object.keys(declared))('a port refuses %s if it is not declared, and does nothing', async (name) => {
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

  test('a port refuses to remove a path that is not declared', async () => {
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

  test('a port refuses an action, a verb or a program other than the declared ones', async () => {
    const effects = [controls('kubelet', ['stop'], 'x'), apiCalls(['get'], 'nodes', 'x'), runs('crictl', 'x')];
    const { ports } = portsOn(host(), effects);
    const acts = ['services.start', 'kube.patch', 'kube.create', 'kube.waitFor', 'commands.query', 'commands.run'];
    for (const name of acts)
      expect(await joinErrorOf(() => declared[name]?.[0](ports))).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
    await ports.services.stop('kubelet');
    await ports.kube.as(identity).get(nodeRef('w1'));
  });

  test.each([...Object.keys(asking), ...Object.keys(declared)])(
    'a port rejects %s once the attempt has ended',
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
  ])('the template %s allows %s: %s', async (template, path, allowed) => {
    const { ports } = portsOn(memoryHost(), [writes(template, 0o644, 'x')], { input: { file: '/etc/star*' } });
    const writing = ports.files.write(path, 'x', 0o644).then(
      () => true,
      (error) => (error as { code?: string }).code,
    );
    expect(await writing).toBe(allowed || 'E_EFFECT_UNDECLARED');
  });

  test('a port refuses an undeclared effect even if it would change nothing', async () => {
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

  test('a port changes nothing if the machine is already as requested', async () => {
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

  test('each change is reported once, a secret without its content, and each new parent directory', async () => {
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
    expect(printedForms(changes)).not.toContain(CANARY);
    expect(machine.changes).toHaveLength(changes.length);
  });

  test('missing parent directories are created with mode 0755 whatever the umask', async () => {
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
  ])('the kube port turns the answer %i into %s', async (status, code, transient) => {
    const machine = memoryHost({ send: () => ok({ message: 'said\u001b[31m so' }, status) });
    const { ports, changes } = portsOn(machine, every);
    const error = await joinErrorOf(() => ports.kube.as(identity).patch(nodeRef('w1'), {}));
    expect(error).toMatchObject({ code, transient });
    expect(error.message).not.toContain('\u001b');
    expect(changes).toEqual([]);
  });

  test('the kube port returns undefined for a missing object and for a name that is taken', async () => {
    const at = (status: number) => portsOn(memoryHost({ send: () => ok({}, status) }), every).ports.kube.as(identity);
    expect(await at(404).get(nodeRef('w1'))).toBeUndefined();
    expect(await at(409).create(nodeRef('w1'), node)).toBeUndefined();
    expect(await joinErrorOf(() => at(200).get(nodeRef('w1')))).toMatchObject({ code: 'E_API_ANSWER' });
  });

  test('the kube port reads cluster-info without credentials, with the trust that it is given', async () => {
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
