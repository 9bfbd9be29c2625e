import { describe, expect, test } from 'vitest';
import type { Host } from '../../../engine/host/host.ts';
import { Secret } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { CANARY, isThere, SIGNAL, textOf, write } from '../../helpers/host-state.ts';
import { changedBy, inShort, takenBack } from '../../helpers/undone.ts';

describe('a path that has changed since the run', () => {
  const changes = (host: Host) =>
    changedBy(async ({ files }) => {
      await files.write('/etc/a', 'one\ntwo\n', 0o644);
      await files.write('/etc/b', 'b\n', 0o644);
      await files.link('/etc/l', '/etc/a');
      await files.remove('/etc/gone');
      await files.write('/etc/secret', new Secret(CANARY), 0o600);
    }, host);
  const machine = () => memoryHost({ files: { '/etc/a': 'old\n', '/etc/gone': 'was here\n' } });
  const outcomes = async (host: Host, journal: Awaited<ReturnType<typeof changes>>, overwrite = false) =>
    (await takenBack(journal, host, { overwrite })).map(inShort);

  test('a changed path stays and is reported with a diff; the rest is undone', async () => {
    const host = machine();
    const journal = await changes(host);
    await write(host, '/etc/a', 'one\n2\n');
    const items = await takenBack(journal, host);
    expect(items.map(inShort)).toEqual([
      'restored /etc/secret',
      'restored /etc/gone',
      'restored /etc/l',
      'restored /etc/b',
      'refused /etc/a',
    ]);
    const { why, diff } = items.at(-1) ?? {};
    expect(why).toBe('it has changed since the run: it is now a file of mode 0644');
    expect(diff?.split('\n').slice(0, 6)).toEqual([
      '--- /etc/a\tas the run left it',
      '+++ /etc/a\tnow',
      '@@ -1,2 +1,2 @@',
      ' one',
      '-two',
      '+2',
    ]);
    expect(await textOf(host, '/etc/a')).toBe('one\n2\n');
  });

  test('a changed path is restored with overwrite, also in a later undo', async () => {
    const host = machine();
    const journal = await changes(host);
    await write(host, '/etc/a', 'mine');
    await write(host, '/etc/gone', 'mine');
    expect(await outcomes(host, journal)).toContain('refused /etc/gone');
    expect(await outcomes(host, journal)).toEqual(['refused /etc/gone', 'refused /etc/a']);
    expect(await outcomes(host, journal, true)).toEqual(['restored /etc/gone', 'restored /etc/a']);
    expect([await textOf(host, '/etc/a'), await textOf(host, '/etc/gone')]).toEqual(['old\n', 'was here\n']);
  });

  test.each<[string, (host: Host) => Promise<void>, string, string]>([
    ['its mode', (host) => write(host, '/etc/b', 'b\n', 0o600), '/etc/b', 'a file of mode 0600'],
    [
      'it into a link',
      (host) => host.apply({ kind: 'link', path: '/etc/b', target: '/x' }, SIGNAL),
      '/etc/b',
      'a link to /x',
    ],
    [
      'where a link leads',
      (host) => host.apply({ kind: 'link', path: '/etc/l', target: '/x' }, SIGNAL),
      '/etc/l',
      'a link to /x',
    ],
    ['a link into a file', (host) => write(host, '/etc/l', 'x'), '/etc/l', 'a file of mode 0644'],
    [
      'it into a directory',
      (host) => host.apply({ kind: 'directory', path: '/etc/b', mode: 0o755 }, SIGNAL),
      '/etc/b',
      'a directory',
    ],
    ['what had gone', (host) => write(host, '/etc/gone', 'x'), '/etc/gone', 'a file of mode 0644'],
  ])('an undo reports what has changed since the run: %s', async (_, change, path, now) => {
    const host = machine();
    const journal = await changes(host);
    await change(host);
    const refused = (await takenBack(journal, host)).filter(({ outcome }) => outcome === 'refused');
    expect(refused).toMatchObject([{ change: { path }, why: `it has changed since the run: it is now ${now}` }]);
  });

  test('a path with the content from before the run is not a conflict', async () => {
    const host = machine();
    const journal = await changes(host);
    await write(host, '/etc/a', 'old\n');
    await host.apply({ kind: 'remove', path: '/etc/b' }, SIGNAL);
    await write(host, '/etc/gone', 'was here\n');
    expect((await outcomes(host, journal)).filter((text) => !text.startsWith('restored'))).toEqual([]);
    expect(await textOf(host, '/etc/a')).toBe('old\n');
  });

  test('a missing path is a conflict only if it existed before the run', async () => {
    const host = machine();
    const journal = await changes(host);
    await host.apply({ kind: 'remove', path: '/etc/a' }, SIGNAL);
    const items = await takenBack(journal, host);
    expect(items.at(-1)).toMatchObject({ outcome: 'refused', why: 'it has changed since the run: it is now gone' });
    expect('diff' in (items.at(-1) ?? {})).toBe(false);
  });

  test('the report has no diff if the run had written a secret', async () => {
    const host = machine();
    const journal = await changes(host);
    await write(host, '/etc/secret', `changed ${CANARY}`);
    const [item] = await takenBack(journal, host);
    expect(item).toMatchObject({ outcome: 'refused', change: { path: '/etc/secret' } });
    expect(JSON.stringify(item)).not.toContain(CANARY);
  });

  test('the diff has at most sixty lines', async () => {
    const host = machine();
    const journal = await changes(host);
    await write(host, '/etc/a', 'line\n'.repeat(200));
    const item = (await takenBack(journal, host)).at(-1);
    expect(item?.diff?.split('\n')).toHaveLength(60);
  });
});

describe('the undo of directories', () => {
  const deep = (host: Host) => changedBy(({ files }) => files.write('/opt/x/y/f', 'f', 0o644), host);

  test('a directory of the run is removed with the files of the run in it', async () => {
    const host = memoryHost();
    await takenBack(await deep(host), host);
    expect(await isThere(host, '/opt')).toBe(false);
  });

  test('a directory with other files stays, and the report names them', async () => {
    const host = memoryHost();
    const journal = await deep(host);
    await write(host, '/opt/x/mine', 'm');
    expect((await takenBack(journal, host)).map(({ outcome, why }) => `${outcome} ${why ?? ''}`)).toEqual([
      'restored ',
      'restored ',
      'stays it contains files that this run did not create: mine',
      'stays it contains files that this run did not create: x',
    ]);
    expect(await textOf(host, '/opt/x/mine')).toBe('m');
    expect(await takenBack(journal, host)).toEqual([]);
  });

  test('a directory whose content is not undone yet is removed in a later undo', async () => {
    const host = memoryHost();
    const journal = await deep(host);
    await write(host, '/opt/x/y/f', 'changed');
    expect((await takenBack(journal, host)).map(inShort)).toEqual([
      'refused /opt/x/y/f',
      'failed /opt/x/y',
      'failed /opt/x',
      'failed /opt',
    ]);
    await takenBack(journal, host, { overwrite: true });
    expect(await isThere(host, '/opt')).toBe(false);
  });
});
