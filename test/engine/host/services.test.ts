import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Host } from '../../../engine/host/host.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { rootedMachine } from '../../helpers/machine.ts';
import { secureServer } from '../../helpers/web-server.ts';

const SIGNAL = new AbortController().signal;

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
      'restarted without success',
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
  ])('a service that is %s under systemd is reported as such', async (_, properties, expected) => {
    const { host } = await rootedMachine({ systemctl: shown({ ...running, ...properties }) });
    expect(await status(host)).toEqual({ manager: 'systemd', ...expected });
  });

  test('services are read and controlled by these systemctl commands', async () => {
    const { root, host } = await rootedMachine({
      systemctl:
        'echo "$@" >> "$JOINERY_ROOT/log"; if [ "$1" = show ]; then echo LoadState=loaded; else echo "[Unit] $2"; fi',
    });
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

  test('an action that systemctl refuses ends with the error that systemctl printed', async () => {
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
  ])('a service is read under OpenRC: %s', async (service, levels, expected) => {
    const { host } = await rootedMachine({ openrc: 'true', 'rc-service': service, 'rc-update': `echo "${levels}"` });
    expect(await status(host)).toEqual({ manager: 'openrc', ...expected });
  });

  test('without a service manager, no service exists and a start changes nothing', async () => {
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

  test('a service is healthy as soon as it answers 200', async () => {
    const { host } = await rootedMachine({ systemctl: shown(running) });
    let asked = 0;
    const url = await answering(() => (++asked < 4 ? 500 : 200));
    expect(await host.wait({ kind: 'healthy', service: 'kubelet', url }, SIGNAL)).toBeUndefined();
    expect(asked).toBe(4);
  });

  test('a health endpoint of this machine may have a certificate that no CA has signed', async () => {
    const { host } = await rootedMachine({ systemctl: shown(running) });
    const { url } = await secureServer((_, response) => response.end('ok'));
    expect(await host.wait({ kind: 'healthy', service: 'kubelet', url }, SIGNAL)).toBeUndefined();
  });

  test('a service that its manager has given up is failed, with its last fatal log line', async () => {
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

  test('a service that does not become healthy in time ends with its last log line', async () => {
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

  test('a wait that ends while the manager is asked ends with the last log line, too', async () => {
    const { host } = await rootedMachine({ systemctl: '/bin/sleep 5', journalctl: 'echo waiting' });
    const url = await answering(() => 503);
    // The manager is asked after a second.
    const error = await joinErrorOf(() =>
      host.wait({ kind: 'healthy', service: 'kubelet', url }, AbortSignal.timeout(1_300)),
    );
    expect(error).toMatchObject({ code: 'E_HEALTH', facts: { lastLine: 'waiting' } });
  });
});
