import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Host } from '../../../engine/host/host.ts';
import { controls, runs, serviceWrites, writes } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { journaled, SIGNAL, takenBack } from '../../helpers/journaled.ts';
import { rootedMachine } from '../../helpers/machine.ts';

const PATHS = ['/etc/a', '/etc/b', '/etc/sub/c', '/var/lib/x/y'];
const ANYWHERE = ['/etc/*', '/etc/sub/*', '/var/lib/x/*', '/srv/*'].map((path) => writes(path, undefined, 'x'));

/** The files at all paths that a sequence may change, and at their parents. */
const stateOf = (host: Host) =>
  Promise.all(
    [...PATHS, '/etc', '/etc/sub', '/var', '/var/lib', '/var/lib/x'].map(async (path) => [
      path,
      await host.read<'stat'>({ kind: 'stat', path }, SIGNAL),
      (await host.read<'file'>({ kind: 'file', path }, SIGNAL).catch(() => undefined))?.toString(),
    ]),
  );

const content = fc.stringMatching(/^[a-z]{0,4}$/);
const act = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    path: fc.constantFrom(...PATHS),
    content,
    mode: fc.constantFrom(0o600, 0o644),
  }),
  fc.record({ kind: fc.constant('link' as const), path: fc.constantFrom(...PATHS), content }),
  fc.record({ kind: fc.constant('remove' as const), path: fc.constantFrom(...PATHS) }),
);

type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

async function does(host: Host, acts: readonly Act[]) {
  const { journal, ports } = journaled(host, ANYWHERE);
  for (const one of acts) {
    // Some sequences fail, such as a link over a file. The changes before the failure are undone nevertheless.
    if (one.kind === 'write') await ports.files.write(one.path, one.content, one.mode).catch(() => undefined);
    else if (one.kind === 'link') await ports.files.link(one.path, `/etc/${one.content}`).catch(() => undefined);
    else await ports.files.remove(one.path);
  }
  return journal;
}

describe('the undo of changes', () => {
  test('an undo restores the machine after any sequence of writes, links and removals', async () => {
    const start = fc.dictionary(fc.constantFrom('/etc/a', '/etc/b'), content);
    await fc.assert(
      fc.asyncProperty(start, fc.array(act, { maxLength: 12 }), async (files, acts) => {
        const host = memoryHost({ files, directories: ['/etc', '/var'] });
        const before = await stateOf(host);
        const journal = await does(host, acts);
        expect(await takenBack(journal, host)).toEqual([]);
        expect(await stateOf(host)).toEqual(before);
        expect(journal.history().changes.every(({ undone }) => undone)).toBe(true);
        expect(await takenBack(journal, host)).toEqual([]); // nothing is left for a second undo
      }),
      { numRuns: 200 },
    );
  });

  test('an undo restores a real file system', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 8 }), async (acts) => {
        const { root, host } = await rootedMachine();
        await mkdir(join(root, 'etc'), { mode: 0o750 });
        await writeFile(join(root, 'etc/a'), 'old', { mode: 0o640 });
        const before = await stateOf(host);
        expect(await takenBack(await does(host, acts), host)).toEqual([]);
        expect(await stateOf(host)).toEqual(before);
      }),
      { numRuns: 30 },
    );
  });

  test('an undo restores services with their old files, and reloads the service manager first', async () => {
    const host = memoryHost({ services: { kubelet: { active: true } } });
    const effects = [...ANYWHERE, controls('kubelet', ['stop', 'start', 'reload'], 'x')];
    const { journal, ports } = journaled(host, effects);
    await ports.services.stop('kubelet');
    await ports.files.write('/etc/a', 'x', 0o644);
    await ports.services.reload('kubelet');
    await ports.services.start('kubelet');
    host.changes.length = 0;
    expect(await takenBack(journal, host)).toEqual([]);
    const kinds = host.changes.map((change) => (change.kind === 'service' ? change.action : change.kind));
    expect(kinds).toEqual(['stop', 'remove', 'remove', 'reload', 'start']);
  });

  test('an undo runs the undo commands, and reports the commands that are irreversible', async () => {
    const host = memoryHost();
    const { journal, ports } = journaled(host, [runs('modprobe', 'x')]);
    await ports.commands.run(['modprobe', 'x'], { undo: ['modprobe', '-r', 'x'] });
    await ports.commands.run(['modprobe', 'y'], { irreversible: 'it stays until the reboot' });
    host.changes.length = 0;
    expect(await takenBack(journal, host)).toMatchObject([{ outcome: 'stays', why: 'it stays until the reboot' }]);
    expect(host.changes).toMatchObject([{ kind: 'command', argv: ['modprobe', '-r', 'x'] }]);
  });

  test('an undo keeps files that changed after the run, unless it may overwrite them', async () => {
    const host = memoryHost({ files: { '/etc/a': 'old\n' } });
    const { journal, ports } = journaled(host, ANYWHERE);
    const { Secret } = await import('../../../engine/sdk/index.ts');
    await ports.files.write('/etc/a', 'one\ntwo\n', 0o644);
    await ports.files.write('/etc/b', new Secret('hidden\n'), 0o600);
    await ports.files.write('/srv/kept', 'kept', 0o644);
    for (const [path, text] of [
      ['/etc/a', 'one\nthree\n'],
      ['/etc/b', 'hidden\nmore\n'],
    ] as const)
      await host.apply({ kind: 'file', path, content: Buffer.from(text), mode: 0o644, secret: false }, SIGNAL);
    const left = await takenBack(journal, host);
    expect(left.map(({ change, outcome }) => ['path' in change && change.path, outcome])).toEqual([
      ['/etc/b', 'refused'],
      ['/etc/a', 'refused'],
    ]);
    expect(left[1]?.diff).toMatch(/-two\n\+three/);
    expect(JSON.stringify(left)).not.toContain('hidden');
    expect(await host.read({ kind: 'stat', path: '/srv/kept' }, SIGNAL)).toBeUndefined();
    expect(await takenBack(journal, host, true)).toEqual([]);
    expect((await host.read<'file'>({ kind: 'file', path: '/etc/a' }, SIGNAL))?.toString()).toBe('old\n');
  });

  test('an undo keeps a directory with files of others, and reports these files', async () => {
    const { root, host } = await rootedMachine();
    const { journal, ports } = journaled(host, ANYWHERE);
    await ports.files.write('/etc/sub/c', 'x', 0o644);
    await writeFile(join(root, 'etc/sub/theirs'), 'theirs');
    expect(await takenBack(journal, host)).toMatchObject([
      { outcome: 'stays', change: { path: '/etc/sub' }, why: expect.stringContaining('theirs') },
      { outcome: 'stays', change: { path: '/etc' } },
    ]);
    expect(await readFile(join(root, 'etc/sub/theirs'), 'utf8')).toBe('theirs');
  });

  test('an undo removes the data that a service wrote after the run started it, and keeps older data', async () => {
    const host = memoryHost({ files: { '/var/lib/kubelet/own_state': 'before' }, services: { kubelet: {} } });
    const data = [
      serviceWrites('kubelet', '/var/lib/kubelet/*_state', 'x'),
      serviceWrites('kubelet', '/var/lib/kubelet/pods', 'x'),
    ];
    const effects = [...data, controls('kubelet', ['start'], 'x'), writes('/var/lib/kubelet/current', undefined, 'x')];
    const { journal, ports } = journaled(host, effects);
    await ports.files.link('/var/lib/kubelet/current', '/first');
    await ports.services.start('kubelet');
    const put = (path: string) =>
      host.apply({ kind: 'file', path, content: Buffer.from('kubelet'), mode: 0o600, secret: false }, SIGNAL);
    await host.apply({ kind: 'directory', path: '/var/lib/kubelet/pods', mode: 0o750 }, SIGNAL);
    for (const path of ['/var/lib/kubelet/cpu_state', '/var/lib/kubelet/pods/1/token']) await put(path);
    expect(await takenBack(journal, host)).toEqual([]);
    expect(await host.read({ kind: 'list', path: '/var/lib/kubelet' }, SIGNAL)).toEqual(['own_state']);
  });

  test('an undo removes a file of the run that its service has replaced', async () => {
    const host = memoryHost({ services: { kubelet: {} } });
    const effects = [
      ...[serviceWrites('kubelet', '/srv/current', 'x'), controls('kubelet', ['start'], 'x')],
      ...[writes('/srv/current', undefined, 'x')],
    ];
    const { journal, ports } = journaled(host, effects);
    await ports.files.link('/srv/current', '/first');
    await ports.services.start('kubelet');
    await host.apply({ kind: 'link', path: '/srv/current', target: '/rotated' }, SIGNAL);
    expect(await takenBack(journal, host)).toEqual([]);
    expect(await host.read({ kind: 'stat', path: '/srv/current' }, SIGNAL)).toBeUndefined();
  });

  test('an undo does not remove a volume that is still mounted', async () => {
    const host = memoryHost({ services: { kubelet: {} }, mounts: ['/var/lib/kubelet/pods/1/secret'] });
    const effects = [serviceWrites('kubelet', '/var/lib/kubelet/pods', 'x'), controls('kubelet', ['start'], 'x')];
    const { journal, ports } = journaled(host, effects);
    await ports.services.start('kubelet');
    await host.apply({ kind: 'directory', path: '/var/lib/kubelet/pods', mode: 0o750 }, SIGNAL);
    expect(await takenBack(journal, host)).toMatchObject([
      { outcome: 'failed', why: expect.stringContaining('still mounted') },
    ]);
    expect(await host.read({ kind: 'stat', path: '/var/lib/kubelet/pods' }, SIGNAL)).toBeDefined();
  });

  test('an undo continues after an error with the remaining changes', async () => {
    const host = memoryHost({ files: { '/etc/a': 'old' } });
    const { journal, ports } = journaled(host, ANYWHERE);
    await ports.files.write('/etc/a', 'new', 0o644);
    await ports.files.write('/etc/b', 'new', 0o644);
    const { apply } = host;
    host.apply = async () => Promise.reject(new Error('no space'));
    expect((await takenBack(journal, host)).map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    host.apply = apply;
    expect(await takenBack(journal, host)).toEqual([]);
    expect((await host.read<'file'>({ kind: 'file', path: '/etc/a' }, SIGNAL))?.toString()).toBe('old');
  });
});
