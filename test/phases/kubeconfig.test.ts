import { describe, expect, test } from 'vitest';
import { generateKeyPem } from '../../engine/pki/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import kubeconfig from '../../phases/kubeconfig/index.ts';
import { authority, DAY_MS, issue, NOW, SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { glimpseOf, kubeletConf } from '../helpers/node.ts';

const ca = authority();
const { pem, keyPem } = issue(ca);
const input = { server: SERVER, ca: ca.pem, certificate: pem, key: keyPem };
const two = (part: number) => String(part).padStart(2, '0');
/** When `pem` begins to hold. */
const SINCE = new Date(NOW.getTime() - DAY_MS);
const DAY = `${SINCE.getFullYear()}-${two(SINCE.getMonth() + 1)}-${two(SINCE.getDate())}`;
const STAMP = `${DAY}-${[SINCE.getHours(), SINCE.getMinutes(), SINCE.getSeconds()].map(two).join('-')}`;
const PEM = `/var/lib/kubelet/pki/kubelet-client-${STAMP}.pem`;
const CURRENT = '/var/lib/kubelet/pki/kubelet-client-current.pem';
const CONF = '/etc/kubernetes/kubelet.conf';
const machine = (active = false) => ({
  now: () => NOW,
  directories: ['/etc', '/var/lib'],
  services: { kubelet: { active } },
});
const text = async (host: MemoryHost, path: string) =>
  (await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))?.toString();
const write = (host: MemoryHost, inputs: Record<string, unknown> = input) => runPhase(kubeconfig, inputs, host);

itKeepsThePhaseContract(kubeconfig, { input, machine: () => machine(true), secrets: [glimpseOf(keyPem)] });

describe('kubeconfig', () => {
  test('kubeconfig writes nothing if the kubelet requests its own certificate', async () => {
    const { error, changes } = await write(memoryHost(machine(true)), { server: SERVER, ca: ca.pem });
    expect([error, changes]).toEqual([undefined, []]);
  });

  test('kubeconfig writes the same bytes as the kubelet', async () => {
    const host = memoryHost(machine());
    const { error, changes } = await write(host);
    expect(error).toBeUndefined();
    expect(await text(host, CONF)).toBe(kubeletConf(SERVER, ca.pem));
    expect(await text(host, PEM)).toBe(`${pem.trim()}\n${keyPem.trim()}\n`);
    expect(await text(host, CURRENT)).toBe(`${pem.trim()}\n${keyPem.trim()}\n`);
    expect(changes).toEqual([
      { kind: 'directory', path: '/var/lib/kubelet', mode: 0o700 },
      { kind: 'directory', path: '/var/lib/kubelet/pki', mode: 0o755 },
      { kind: 'file', path: PEM, action: 'create', mode: 0o600, content: undefined },
      { kind: 'link', path: CURRENT, target: PEM },
      { kind: 'directory', path: '/etc/kubernetes', mode: 0o755 },
      { kind: 'file', path: CONF, action: 'create', mode: 0o600, content: kubeletConf(SERVER, ca.pem) },
    ]);
  });

  test('kubeconfig writes the same files on another day', async () => {
    const host = memoryHost(machine());
    await write(host);
    host.now = () => new Date(NOW.getTime() + 86_400_000);
    expect((await write(host)).changes).toEqual([]);
  });

  test('kubeconfig writes an identity with another key, and keeps the old file', async () => {
    const host = memoryHost(machine());
    await write(host);
    const renewed = issue(ca, { keyPem: generateKeyPem(), notBefore: NOW });
    const { changes } = await write(host, { ...input, certificate: renewed.pem, key: renewed.keyPem });
    expect(
      changes.map((change) => `${change.kind} ${'path' in change ? change.path.replace(/\d{4}[-\d]+/, 'DATE') : ''}`),
    ).toEqual(['file /var/lib/kubelet/pki/kubelet-client-DATE.pem', `link ${CURRENT}`]);
    expect(await text(host, PEM)).toContain(keyPem.trim());
    expect(await text(host, CURRENT)).toContain(renewed.keyPem.trim());
  });

  test('kubeconfig stops a running kubelet before the first write, and only if something differs', async () => {
    const host = memoryHost(machine(true));
    const { changes } = await write(host);
    expect(changes[0]).toEqual({ kind: 'service', name: 'kubelet', action: 'stop' });
    expect((await write(memoryHost(machine(false)))).changes.map(({ kind }) => kind)).not.toContain('service');
    const again = await write(host);
    expect(again.changes).toEqual([]);
  });

  test('kubeconfig changes only the kubeconfig for another server', async () => {
    const host = memoryHost(machine());
    await write(host);
    const { changes } = await write(host, { ...input, server: 'https://10.0.0.2:6443' });
    expect(changes.map((change) => ('path' in change ? change.path : change.kind))).toEqual([CONF]);
    expect(await text(host, CONF)).toBe(kubeletConf('https://10.0.0.2:6443', ca.pem));
  });
});
