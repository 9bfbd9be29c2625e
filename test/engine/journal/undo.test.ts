import { chown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Host } from '../../../engine/host/host.ts';
import { controls, fail, serviceWrites } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { thrownBy } from '../../helpers/errors.ts';
import { runsOnDisk, START } from '../../helpers/journals.ts';
import { rootedMachine } from '../../helpers/machine.ts';
import { changedBy, inShort, journalInMemory, takenBack } from '../../helpers/undone.ts';

describe('the undo of a run', () => {
  const three = (host: Host) =>
    changedBy(async ({ files }) => {
      for (const name of ['a', 'b', 'c']) await files.write(`/etc/${name}`, 'new', 0o644);
    }, host);

  test('an undo continues after an error, and can be repeated for the rest', async () => {
    const host = memoryHost({ directories: ['/etc'] });
    const journal = await three(host);
    const broken: Host = {
      ...host,
      async apply(change, signal) {
        if ('path' in change && change.path === '/etc/b') throw fail('E_FILE', { path: '/etc/b', what: 'read-only' });
        return host.apply(change, signal);
      },
    };
    const items = await takenBack(journal, broken);
    expect(items.map(inShort)).toEqual(['restored /etc/c', 'failed /etc/b', 'restored /etc/a']);
    expect(items[1]?.why).toContain('read-only');
    expect((await takenBack(journal, host)).map(inShort)).toEqual(['restored /etc/b']);
    expect(await takenBack(journal, host)).toEqual([]);
  });

  test('a stopped undo can be repeated, and repeats the change it was stopped in', async () => {
    const host = memoryHost({ directories: ['/etc'] });
    const journal = await three(host);
    const stop = new AbortController();
    const stopping: Host = {
      ...host,
      async apply(change, signal) {
        await host.apply(change, signal);
        if ('path' in change && change.path === '/etc/b') {
          stop.abort(fail('E_CANCELLED', { signal: 'SIGINT' }));
          throw stop.signal.reason;
        }
      },
    };
    expect(await thrownBy(() => takenBack(journal, stopping, { signal: stop.signal }))).toBe(stop.signal.reason);
    expect((await takenBack(journal, host)).map(inShort)).toEqual(['restored /etc/b', 'restored /etc/a']);
  });

  test('a file is not restored if the journal has lost or changed its content', async () => {
    const { root, host } = await rootedMachine();
    const { runs, folderOf } = await runsOnDisk();
    await mkdir(join(root, 'etc'));
    for (const name of ['a', 'b']) await writeFile(join(root, 'etc', name), 'old');
    const journal = await changedBy(
      async ({ files }) => {
        for (const name of ['a', 'b']) await files.write(`/etc/${name}`, 'new', 0o644);
      },
      host,
      { journal: runs.begin(START) },
    );
    await writeFile(join(folderOf(journal.id), '2.before'), 'rotten');
    const items = await takenBack(journal, host);
    expect(items.map(inShort)).toEqual(['failed /etc/b', 'restored /etc/a']);
    expect(items[0]?.why).toContain('/etc/b: its previous content is no longer in the journal');
    expect(await readFile(join(root, 'etc/b'), 'utf8')).toBe('new');
  });

  test('a path that held a socket stays', async () => {
    const { host } = await rootedMachine();
    const journal = journalInMemory();
    await journal.change(
      'a',
      { kind: 'file', path: '/run/s', action: 'replace', mode: 0o600, content: '' },
      async () => ({
        before: { kind: 'none' },
      }),
    );
    expect(await takenBack(journal, host)).toMatchObject([{ outcome: 'stays', why: 'it cannot be undone' }]);
  });
});

describe('an undo on disk', () => {
  test('the temporary file of a killed run is removed', async () => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'etc'));
    const journal = journalInMemory();
    const change = { kind: 'file', path: '/etc/a', action: 'create', mode: 0o644, content: 'half' } as const;
    await journal.change('a', change, async () => ({ before: { kind: 'absent' } }));
    await writeFile(join(root, 'etc/.a.joinery.tmp'), 'hal');
    await takenBack(journal, host);
    expect(await readdir(join(root, 'etc'))).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'an undo restores owner and mode (skipped without root: only root can change owners)',
    async () => {
      const { root, host } = await rootedMachine();
      await mkdir(join(root, 'etc/d'), { recursive: true });
      for (const name of ['a', 'b']) await writeFile(join(root, 'etc', name), 'old', { mode: 0o640 });
      for (const name of ['a', 'b', 'd']) await chown(join(root, 'etc', name), 1234, 4321);
      const journal = await changedBy(async ({ files }) => {
        await files.write('/etc/a', 'new', 0o600);
        await files.remove('/etc/b');
        await files.remove('/etc/d');
      }, host);
      expect((await stat(join(root, 'etc/a'))).uid).toBe(0);
      await takenBack(journal, host);
      for (const [name, mode] of [
        ['a', '100640'],
        ['b', '100640'],
        ['d', '40755'],
      ] as const) {
        const stats = await stat(join(root, 'etc', name));
        expect([name, stats.uid, stats.gid, stats.mode.toString(8)]).toEqual([name, 1234, 4321, mode]);
      }
    },
  );

  test('service data is found through links, but never outside the root', async () => {
    const { root, host } = await rootedMachine({
      systemctl:
        'case $1 in show) echo LoadState=loaded; echo ActiveState=$(cat $JOINERY_ROOT/state);; start) echo active >$JOINERY_ROOT/state;; stop) echo inactive >$JOINERY_ROOT/state;; esac',
    });
    await writeFile(join(root, 'state'), 'inactive\n');
    await mkdir(join(root, 'data/kubelet'), { recursive: true });
    await mkdir(join(root, 'var/lib'), { recursive: true });
    await symlink('/data/kubelet', join(root, 'var/lib/kubelet'));
    await writeFile(join(root, 'data/kubelet/old.pem'), 'old');
    const effects = [controls('kubelet', ['start'], 'x'), serviceWrites('kubelet', '/var/lib/kubelet/*.pem', 'x')];
    const journal = await changedBy(({ services }) => services.start('kubelet'), host, { effects });
    expect(await readFile(join(root, 'state'), 'utf8')).toBe('active\n');
    await writeFile(join(root, 'data/kubelet/new.pem'), 'new');
    expect((await takenBack(journal, host)).map(inShort)).toEqual(['restored start kubelet']);
    expect(await readFile(join(root, 'state'), 'utf8')).toBe('inactive\n');
    expect(await readdir(join(root, 'data/kubelet'))).toEqual(['old.pem']);
  });
});
