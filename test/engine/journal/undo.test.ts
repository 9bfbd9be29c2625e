import { chown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Host } from '../../../engine/host/host.ts';
import { csrRef } from '../../../engine/node/index.ts';
import { apiCalls, controls, fail, Secret, serviceWrites } from '../../../engine/sdk/index.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../../engine/testing/memory-host.ts';
import { thrownBy } from '../../helpers/errors.ts';
import { runsOnDisk, START } from '../../helpers/journals.ts';
import { rootedMachine } from '../../helpers/machine.ts';
import { ANYTHING, changedBy, inShort, journalInMemory, takenBack } from '../../helpers/undone.ts';

const SIGNAL = new AbortController().signal;
const CANARY = 'canary-51c0';
const textOf = async (host: Host, path: string): Promise<string | undefined> =>
  (await host.read<'file'>({ kind: 'file', path }, SIGNAL))?.toString();
/** Somebody else writes it, with the directories above. */
async function write(host: Host, path: string, text: string, mode = 0o644): Promise<void> {
  const parents = path
    .split('/')
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  for (const parent of parents.slice(1))
    if ((await host.read<'stat'>({ kind: 'stat', path: parent }, SIGNAL)) === undefined)
      await host.apply({ kind: 'directory', path: parent, mode: 0o755 }, SIGNAL);
  await host.apply({ kind: 'file', path, content: Buffer.from(text), mode, secret: false }, SIGNAL);
}
const isThere = async (host: Host, path: string): Promise<boolean> =>
  (await host.read<'stat'>({ kind: 'stat', path }, SIGNAL)) !== undefined;
const isActive = async (host: Host): Promise<boolean> =>
  (await host.read<'service'>({ kind: 'service', name: 'kubelet' }, SIGNAL)).active;
/** What is done to the machine from now on: `stop kubelet`, `file /etc/a`. */
function watched(host: MemoryHost): () => string[] {
  host.changes.length = 0;
  return () =>
    host.changes.map((change) => {
      if (change.kind === 'service') return `${change.action} ${change.name}`;
      if (change.kind === 'command') return `run ${change.argv.join(' ')}`;
      return 'path' in change ? `${change.kind} ${change.path}` : change.kind;
    });
}

describe('services', () => {
  const running = () => memoryHost({ files: { '/etc/a': 'old' }, services: { kubelet: { active: true } } });
  const stopped = () => memoryHost({ files: { '/etc/a': 'old' }, services: { kubelet: {} } });

  test('that were stopped start again on the files as they were, after their manager has read them', async () => {
    const host = running();
    const journal = await changedBy(async ({ services, files }) => {
      await services.stop('kubelet');
      await files.write('/etc/unit', 'drop-in', 0o644);
      await services.reload('kubelet');
      await files.write('/etc/a', 'new', 0o644);
      await services.start('kubelet');
    }, host);
    const done = watched(host);
    expect((await takenBack(journal, host)).map(inShort)).toEqual([
      'restored start kubelet',
      'restored /etc/a',
      'restored /etc/unit',
      'restored reload kubelet',
      'restored stop kubelet',
    ]);
    expect(done()).toEqual(['stop kubelet', 'file /etc/a', 'remove /etc/unit', 'reload kubelet', 'start kubelet']);
  });

  test('that were started are stopped before the files go that they run on', async () => {
    const host = stopped();
    const journal = await changedBy(async ({ services, files }) => {
      await files.write('/etc/a', 'new', 0o644);
      await services.start('kubelet');
    }, host);
    const done = watched(host);
    await takenBack(journal, host);
    expect(done()).toEqual(['stop kubelet', 'file /etc/a']);
  });

  test.each([
    ['running', true, ['stop', 'start', 'stop', 'start']],
    ['running', true, ['stop', 'start', 'stop']],
    ['stopped', false, ['start', 'stop']],
    ['stopped', false, ['start', 'stop', 'start']],
  ] as const)('that were %s are so again (%s), whatever was done to them: %j', async (_, before, actions) => {
    const host = before ? running() : stopped();
    const journal = await changedBy(async ({ services }) => {
      for (const action of actions) await services[action]('kubelet');
    }, host);
    expect(await isActive(host)).toBe(actions.at(-1) === 'start');
    await takenBack(journal, host);
    expect(await isActive(host)).toBe(before);
  });
});

describe('what a service has written since this run started it', () => {
  const effects = [
    ...ANYTHING,
    serviceWrites('kubelet', '/var/lib/kubelet/*.pem', 'x'),
    serviceWrites('kubelet', '/var/lib/kubelet/pods', 'x'),
    serviceWrites('other', '/var/lib/other', 'x'),
  ];
  const machine: MemoryMachine = {
    files: { '/var/lib/kubelet/old.pem': 'before', '/var/lib/kubelet/note': 'before' },
    services: { kubelet: {} },
  };
  const start = (host: Host) =>
    changedBy(
      async ({ files, services }) => {
        await files.write('/var/lib/kubelet/ours.pem', 'ours', 0o644);
        await files.link('/var/lib/kubelet/current.pem', 'ours.pem');
        await services.start('kubelet');
      },
      host,
      { effects },
    );

  test('goes, and what was there before and what nobody declared stays', async () => {
    const host = memoryHost(machine);
    const journal = await start(host);
    await write(host, '/var/lib/kubelet/new.pem', 'rotated');
    await write(host, '/var/lib/kubelet/pods/uid/volume', 'data');
    await write(host, '/var/lib/kubelet/foreign', 'somebody else');
    await write(host, '/var/lib/other', 'not started by us');
    expect((await takenBack(journal, host)).map(({ outcome }) => outcome)).toEqual(Array(3).fill('restored'));
    expect(await host.read({ kind: 'list', path: '/var/lib/kubelet' }, SIGNAL)).toEqual(['foreign', 'note', 'old.pem']);
    expect(await textOf(host, '/var/lib/other')).toBe('not started by us');
  });

  test('is no conflict where it has taken the place of what the run has made: a link that was rotated', async () => {
    const host = memoryHost(machine);
    const journal = await start(host);
    await host.apply({ kind: 'link', path: '/var/lib/kubelet/current.pem', target: 'new.pem' }, SIGNAL);
    expect((await takenBack(journal, host)).map(({ outcome }) => outcome)).toEqual(Array(3).fill('restored'));
    expect(await host.read({ kind: 'list', path: '/var/lib/kubelet' }, SIGNAL)).toEqual(['note', 'old.pem']);
  });

  test('stays where the service was running before', async () => {
    const host = memoryHost({ ...machine, services: { kubelet: { active: true } } });
    const journal = await changedBy(
      async ({ services }) => {
        await services.stop('kubelet');
        await services.start('kubelet');
      },
      host,
      { effects },
    );
    await write(host, '/var/lib/kubelet/new.pem', 'rotated');
    await takenBack(journal, host);
    expect(await host.read({ kind: 'list', path: '/var/lib/kubelet' }, SIGNAL)).toEqual(['note', 'old.pem']);
    expect(await isActive(host)).toBe(true);
  });

  test('is not removed while anything is mounted below it, and is when that is gone', async () => {
    const mounts = ['/var/lib/kubelet/pods/uid/volume'];
    const host = memoryHost({ ...machine, mounts });
    const journal = await start(host);
    await write(host, '/var/lib/kubelet/pods/uid/volume/data', 'of a Pod');
    const [first, ...rest] = await takenBack(journal, host);
    expect(first).toMatchObject({ outcome: 'failed', change: { kind: 'service' } });
    expect(first?.why).toContain('/var/lib/kubelet/pods: /var/lib/kubelet/pods/uid/volume is still mounted');
    expect(rest.map(({ outcome }) => outcome)).toEqual(['restored', 'restored']);
    expect(await textOf(host, '/var/lib/kubelet/pods/uid/volume/data')).toBe('of a Pod');
    mounts.length = 0;
    expect((await takenBack(journal, host)).map(inShort)).toEqual(['restored start kubelet']);
    expect(await host.read({ kind: 'list', path: '/var/lib/kubelet' }, SIGNAL)).toEqual(['note', 'old.pem']);
  });
});

describe('commands and requests', () => {
  const outputs = { 'swapoff -a': {}, 'swapon -a': {} };

  test('are taken back by the command that was named for that', async () => {
    const host = memoryHost({ outputs });
    const journal = await changedBy(
      ({ commands }) => commands.run(['swapoff', '-a'], { undo: ['swapon', '-a'] }),
      host,
    );
    const done = watched(host);
    expect((await takenBack(journal, host)).map(inShort)).toEqual(['restored command']);
    expect(done()).toEqual(['run swapon -a']);
  });

  test('that nothing takes back are told as staying, with the reason or with what somebody else can do', async () => {
    const send = () => ({ status: 201, body: { metadata: {} }, clockSkewMs: 0 });
    const host = memoryHost({ outputs, send });
    const server = 'https://c:6443';
    const journal = await changedBy(
      async ({ commands, kube }) => {
        await commands.run(['swapoff', '-a'], { irreversible: 'swap stays off' });
        await kube
          .as({ server, ca: '', token: new Secret('t') })
          .create(csrRef('csr-1'), { metadata: { name: 'csr-1' } });
      },
      host,
      { effects: [...ANYTHING, apiCalls(['create'], 'certificatesigningrequests', 'x')] },
    );
    const done = watched(host);
    expect((await takenBack(journal, host)).map(({ outcome, why }) => `${outcome}: ${why}`)).toEqual([
      'stays: no identity on this machine may delete it. With an admin kubeconfig: kubectl delete certificatesigningrequests csr-1',
      'stays: swap stays off',
    ]);
    expect(done()).toEqual([]);
    expect(await takenBack(journal, host)).toEqual([]); // told once
  });
});

describe('what somebody else has changed since', () => {
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

  test('is left as it is, and shown by a diff; the rest is taken back', async () => {
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
    expect(why).toBe('it is a file of mode 0644 now, and not what the run left');
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

  test('is taken back where that is asked for, also later', async () => {
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
  ])('is seen where it is %s', async (_, change, path, now) => {
    const host = machine();
    const journal = await changes(host);
    await change(host);
    const refused = (await takenBack(journal, host)).filter(({ outcome }) => outcome === 'refused');
    expect(refused).toMatchObject([{ change: { path }, why: `it is ${now} now, and not what the run left` }]);
  });

  test('is nothing where it is as it was before the run', async () => {
    const host = machine();
    const journal = await changes(host);
    await write(host, '/etc/a', 'old\n');
    await host.apply({ kind: 'remove', path: '/etc/b' }, SIGNAL);
    await write(host, '/etc/gone', 'was here\n');
    expect((await outcomes(host, journal)).filter((text) => !text.startsWith('restored'))).toEqual([]);
    expect(await textOf(host, '/etc/a')).toBe('old\n');
  });

  test('is nothing where it went, and is told where that took what was there before', async () => {
    const host = machine();
    const journal = await changes(host);
    await host.apply({ kind: 'remove', path: '/etc/a' }, SIGNAL);
    const items = await takenBack(journal, host);
    expect(items.at(-1)).toMatchObject({ outcome: 'refused', why: 'it is gone now, and not what the run left' });
    expect('diff' in (items.at(-1) ?? {})).toBe(false);
  });

  test('is not shown where the run had put a secret there', async () => {
    const host = machine();
    const journal = await changes(host);
    await write(host, '/etc/secret', `changed ${CANARY}`);
    const [item] = await takenBack(journal, host);
    expect(item).toMatchObject({ outcome: 'refused', change: { path: '/etc/secret' } });
    expect(JSON.stringify(item)).not.toContain(CANARY);
  });

  test('is shown up to sixty lines', async () => {
    const host = machine();
    const journal = await changes(host);
    await write(host, '/etc/a', 'line\n'.repeat(200));
    const item = (await takenBack(journal, host)).at(-1);
    expect(item?.diff?.split('\n')).toHaveLength(60);
  });
});

describe('directories', () => {
  const deep = (host: Host) => changedBy(({ files }) => files.write('/opt/x/y/f', 'f', 0o644), host);

  test('that the run made go with what it put into them', async () => {
    const host = memoryHost();
    await takenBack(await deep(host), host);
    expect(await isThere(host, '/opt')).toBe(false);
  });

  test('that somebody else has put something into stay, and say what', async () => {
    const host = memoryHost();
    const journal = await deep(host);
    await write(host, '/opt/x/mine', 'm');
    expect((await takenBack(journal, host)).map(({ outcome, why }) => `${outcome} ${why ?? ''}`)).toEqual([
      'restored ',
      'restored ',
      'stays it holds files that this run did not create: mine',
      'stays it holds files that this run did not create: x',
    ]);
    expect(await textOf(host, '/opt/x/mine')).toBe('m');
    expect(await takenBack(journal, host)).toEqual([]);
  });

  test('that hold what is not taken back yet are not given up: they go when that goes', async () => {
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

describe('taking back', () => {
  const three = (host: Host) =>
    changedBy(async ({ files }) => {
      for (const name of ['a', 'b', 'c']) await files.write(`/etc/${name}`, 'new', 0o644);
    }, host);

  test('goes on after an error, and later with what was left', async () => {
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

  test('ends when it is stopped, and what it was at is done again', async () => {
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

  test('does not put back what the journal has lost: bytes that are not those that were there', async () => {
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
    expect(items[0]?.why).toContain('/etc/b: what was there before is not in the journal any more');
    expect(await readFile(join(root, 'etc/b'), 'utf8')).toBe('new');
  });

  test('says of what is of no kind that can be put back that it stays: a socket, say', async () => {
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

describe('on a disk', () => {
  test('takes away what a run that was killed has left of a file that it was about to put there', async () => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'etc'));
    const cut: Host = {
      ...host,
      async apply() {
        await writeFile(join(root, 'etc/a.joinery.tmp'), 'hal');
        throw new Error('killed');
      },
    };
    const journal = await changedBy(({ files }) => files.write('/etc/a', 'half', 0o644), cut);
    await takenBack(journal, host);
    expect(await readdir(join(root, 'etc'))).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'puts back owner and mode (skipped without root: only root gives files away)',
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

  test('finds service data through the links of the machine, and never outside of its root', async () => {
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
