import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { MachineCommands } from '../../engine/host/commands.ts';
import { isOwnAddress } from '../../engine/host/own-addresses.ts';
import { MachineServices } from '../../engine/host/services.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { plainServer } from '../helpers/web-server.ts';

const { signal } = new AbortController();
const services = new MachineServices(new MachineCommands('/'));

describe('the health check of a kubelet', () => {
  test.each(['203.0.113.1', 'health.example.test', '[2001:db8::1]', '0x7f000001.example.test', '8.8.8.8'])(
    'the health check of a kubelet refuses an address that is not of this machine: %s',
    async (host) => {
      const url = `http://${host}:10248/healthz`;
      const error = await joinErrorOf(() => services.waitHealthy('kubelet', url, signal));
      expect(error).toMatchObject({ code: 'E_HEALTH_ADDRESS', exitCode: 6, facts: { service: 'kubelet', url } });
    },
  );

  test('the health check of a kubelet sends its request to a loopback address', async () => {
    const url = await plainServer((_, response) => response.end('ok'));
    await services.waitHealthy('kubelet', url, signal);
    await services.waitHealthy('kubelet', url.replace('127.0.0.1', 'localhost'), signal);
  });

  test('the health check of a kubelet sends its request to every address of this machine', () => {
    const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    expect(own.length).toBeGreaterThan(0);
    for (const { address, family } of own)
      expect(isOwnAddress(family === 'IPv6' ? `[${address}]` : address)).toBe(true);
    expect(['127.9.9.9', '[::1]', 'localhost'].every(isOwnAddress)).toBe(true);
  });
});
