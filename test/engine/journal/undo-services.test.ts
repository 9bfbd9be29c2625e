import { describe, expect, test } from 'vitest';
import type { Host } from '../../../engine/host/host.ts';
import { csrRef } from '../../../engine/node/index.ts';
import { apiCalls, Secret, serviceWrites } from '../../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../../engine/testing/memory-host.ts';
import { isActive, SIGNAL, textOf, watched, write } from '../../helpers/host-state.ts';
import { ANYTHING, changedBy, inShort, takenBack } from '../../helpers/undone.ts';

describe('the undo of services', () => {
  const running = () => memoryHost({ files: { '/etc/a': 'old' }, services: { kubelet: { active: true } } });
  const stopped = () => memoryHost({ files: { '/etc/a': 'old' }, services: { kubelet: {} } });

  test('a stopped service starts again with its old files, after the service manager has reloaded them', async () => {
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

  test('a started service is stopped before its files are removed', async () => {
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
  ] as const)(
    'the undo of a run restores services that were %s (%s), whatever was done to them: %j',
    async (_, before, actions) => {
      const host = before ? running() : stopped();
      const journal = await changedBy(async ({ services }) => {
        for (const action of actions) await services[action]('kubelet');
      }, host);
      expect(await isActive(host)).toBe(actions.at(-1) === 'start');
      await takenBack(journal, host);
      expect(await isActive(host)).toBe(before);
    },
  );
});

describe('data that a service has written since the run started it', () => {
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

  test('data of the service is removed; older data and undeclared files stay', async () => {
    const host = memoryHost(machine);
    const journal = await start(host);
    await write(host, '/var/lib/kubelet/new.pem', 'rotated');
    await write(host, '/var/lib/kubelet/pods/uid/volume', 'data');
    await write(host, '/var/lib/kubelet/foreign', 'another program');
    await write(host, '/var/lib/other', 'not started by us');
    expect((await takenBack(journal, host)).map(({ outcome }) => outcome)).toEqual(Array(3).fill('restored'));
    expect(await host.read({ kind: 'list', path: '/var/lib/kubelet' }, SIGNAL)).toEqual(['foreign', 'note', 'old.pem']);
    expect(await textOf(host, '/var/lib/other')).toBe('not started by us');
  });

  test('a link of the run that the service has replaced is not a conflict', async () => {
    const host = memoryHost(machine);
    const journal = await start(host);
    await host.apply({ kind: 'link', path: '/var/lib/kubelet/current.pem', target: 'new.pem' }, SIGNAL);
    expect((await takenBack(journal, host)).map(({ outcome }) => outcome)).toEqual(Array(3).fill('restored'));
    expect(await host.read({ kind: 'list', path: '/var/lib/kubelet' }, SIGNAL)).toEqual(['note', 'old.pem']);
  });

  test('data of a service that ran before stays', async () => {
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

  test('data below a mount point is removed only after it is unmounted', async () => {
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

describe('the undo of commands and requests', () => {
  const outputs = { 'swapoff -a': {}, 'swapon -a': {} };

  test('a command is undone by its undo command', async () => {
    const host = memoryHost({ outputs });
    const journal = await changedBy(
      ({ commands }) => commands.run(['swapoff', '-a'], { undo: ['swapon', '-a'] }),
      host,
    );
    const done = watched(host);
    expect((await takenBack(journal, host)).map(inShort)).toEqual(['restored command']);
    expect(done()).toEqual(['run swapon -a']);
  });

  test('changes that cannot be undone are reported with the reason or with what an administrator can do', async () => {
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
    expect(await takenBack(journal, host)).toEqual([]); // each change is reported once
  });
});
