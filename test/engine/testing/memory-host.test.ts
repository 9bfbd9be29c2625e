import { describe, expect, test } from 'vitest';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { joinErrorOf, thrownBy } from '../../helpers/errors.ts';
import { portsOn } from '../../helpers/machine.ts';

const SIGNAL = new AbortController().signal;

describe('the memory host', () => {
  test('the memory host has the container runtimes that the test prepared', async () => {
    const { ports } = portsOn(
      memoryHost({ runtimes: { '/run/x.sock': { version: '2.0.1', cgroupDriver: 'systemd' } } }),
    );
    expect(await ports.runtime.status('unix:///run/x.sock')).toEqual({
      name: 'containerd',
      version: '2.0.1',
      apiVersion: 'v1',
      ready: true,
      message: '',
    });
    expect(await ports.runtime.cgroupDriver('/run/x.sock')).toBe('systemd');
    for (const ask of [ports.runtime.status, ports.runtime.cgroupDriver])
      expect(await joinErrorOf(() => ask('/run/y.sock'))).toMatchObject({ code: 'E_CRI_UNREACHABLE' });
  });

  test('the memory host refuses questions that the test did not prepare', async () => {
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
