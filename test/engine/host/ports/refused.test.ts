/** Changes that fail: which of them are withdrawn from the journal, because they have certainly changed nothing. */
import { expect, test } from 'vitest';
import type { Host } from '../../../../engine/host/host.ts';
import { nodeRef } from '../../../../engine/node/index.ts';
import { apiCalls, controls, fail, type Ports, runs, writes } from '../../../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../../../engine/testing/memory-host.ts';
import { portsOn } from '../../../helpers/machine.ts';

const EFFECTS = [
  writes('/etc/*', undefined, 'x'),
  controls('kubelet', ['start'], 'x'),
  runs('modprobe', 'x'),
  apiCalls(['create', 'patch'], 'nodes', 'x'),
];
const identity = { server: 'https://c:6443', ca: 'CA' };
const MACHINE = { files: { '/etc/old': 'old' }, services: { kubelet: {} }, programs: ['modprobe'] };
const broken = (host: Host): Host => ({ ...host, apply: () => Promise.reject(new Error('no space left')) });
type Act = (ports: Ports) => Promise<unknown>;

/** The kinds of the changes that were recorded, and of those that were withdrawn. */
async function kindsOf(act: Act, host: Host): Promise<[recorded: string[], refused: string[]]> {
  const { ports, recorded, refused } = portsOn(host, EFFECTS);
  await act(ports).catch(() => undefined);
  return [recorded.map(({ kind }) => kind), refused.map(({ kind }) => kind)];
}

test.each<[string, Act]>([
  ['file', ({ files }) => files.write('/etc/old', 'new', 0o644)],
  ['directory', ({ files }) => files.directory('/etc/d', 0o755)],
  ['link', ({ files }) => files.link('/etc/l', 'old')],
  ['remove', ({ files }) => files.remove('/etc/old')],
])('a change of the kind %s that fails is withdrawn', async (kind, act) => {
  expect(await kindsOf(act, broken(memoryHost(MACHINE)))).toEqual([[kind], [kind]]);
  expect(await kindsOf(act, memoryHost(MACHINE))).toEqual([[kind], []]);
});

test.each<[string, Act]>([
  ['service', ({ services }) => services.start('kubelet')],
  ['command', ({ commands }) => commands.run(['modprobe', 'x'], { irreversible: 'x' })],
  ['remove-tree', ({ files }) => files.removeTree('/etc/old')],
])('a change of the kind %s that fails may have changed something, and stays', async (kind, act) => {
  expect(await kindsOf(act, broken(memoryHost(MACHINE)))).toEqual([[kind], []]);
});

test('a file that was written before the error stays', async () => {
  const host = memoryHost(MACHINE);
  const late: Host = {
    ...host,
    async apply(change, signal) {
      await host.apply(change, signal);
      throw new Error('the directory cannot be synchronised');
    },
  };
  expect(await kindsOf(({ files }) => files.write('/etc/old', 'new', 0o644), late)).toEqual([['file'], []]);
});

test('a change whose attempt ends while it is recorded is withdrawn', async () => {
  const stop = new AbortController();
  const host = memoryHost({ files: { '/etc/old': 'old' } });
  const { ports, recorded, refused } = portsOn(host, EFFECTS, { signal: stop.signal });
  const written = ports.files.write('/etc/old', 'new', 0o644);
  while (recorded.length === 0) await Promise.resolve();
  stop.abort(new Error('stopped'));
  await expect(written).rejects.toThrow();
  expect(refused.map(({ kind }) => kind)).toEqual(['file']);
});

const create: Act = ({ kube }) => kube.as(identity).create(nodeRef('w1'), { metadata: { name: 'w1' } });
const patch: Act = ({ kube }) => kube.as(identity).patch(nodeRef('w1'), {});
const answering = (status: number): MemoryMachine => ({ send: () => ({ status, body: {}, clockSkewMs: 0 }) });

test.each<[string, Act, number]>([
  ['create', create, 403],
  ['create', create, 409],
  ['patch', patch, 404],
  ['patch', patch, 422],
])('a %s that the server refuses is withdrawn (case %#)', async (_, act, status) => {
  expect(await kindsOf(act, memoryHost(answering(status)))).toEqual([['api'], ['api']]);
});

test.each([201, 408, 500])('a request that is answered with HTTP %d stays', async (status) => {
  expect(await kindsOf(create, memoryHost(answering(status)))).toEqual([['api'], []]);
});

test('a request without an answer may have been received, and stays', async () => {
  const send = () => Promise.reject(fail('E_API_UNREACHABLE', { server: identity.server, what: 'timeout' }));
  expect(await kindsOf(create, memoryHost({ send }))).toEqual([['api'], []]);
});
