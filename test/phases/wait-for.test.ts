import { describe, expect, test } from 'vitest';
import type { Wait } from '../../engine/host/host.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { nodeRef } from '../../engine/node/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import waitFor from '../../phases/wait-for/index.ts';
import { FakeCluster, issue, SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { heldIdentity } from '../helpers/node.ts';

const waiting = (more: MemoryMachine = {}) => {
  const waits: Wait[] = [];
  const machine = (): MemoryMachine => ({
    wait: async (condition) => {
      waits.push(condition);
    },
    ...more,
  });
  return { waits, machine };
};

itKeepsThePhaseContract(waitFor, {
  input: { port: '10.0.0.1:6443' },
  machine: waiting().machine,
  secrets: [],
  changesNothing: true,
});

describe('wait-for', () => {
  test.each([
    [{ port: '10.0.0.1:6443' }, { kind: 'port', host: '10.0.0.1', port: 6443 }],
    [{ port: '[::1]:22' }, { kind: 'port', host: '::1', port: 22 }],
    [
      { url: 'https://x.test/readyz', ca: 'PEM' },
      { kind: 'answer', call: { method: 'GET', url: 'https://x.test/readyz', ca: 'PEM' } },
    ],
  ])('wait-for with %j waits for %j, and does not wait in a dry run', async (input, wait) => {
    const { waits, machine } = waiting();
    expect((await runPhase(waitFor, input, memoryHost(machine()))).error).toBeUndefined();
    expect(waits).toEqual([wait]);
    expect((await runPhase(waitFor, input, recordingHost(memoryHost(machine())))).result.status).toBe('succeeded');
    expect(waits).toHaveLength(1);
  });

  test('wait-for waits until a file contains the given text', async () => {
    const { machine } = waiting({ files: { '/run/ready': 'state=up\n' } });
    const host = memoryHost(machine());
    for (const contains of [undefined, 'state=up'])
      expect((await runPhase(waitFor, { path: '/run/ready', contains }, host)).error).toBeUndefined();
    const dry = await runPhase(waitFor, { path: '/run/ready', contains: 'down' }, recordingHost(host));
    expect(dry.result.steps[0]).toMatchObject({
      status: 'undecided',
      notes: [{ text: 'a dry run cannot determine what another program will write to /run/ready' }],
    });
  });

  test("wait-for watches a condition of an object with the node's own identity", async () => {
    const cluster = new FakeCluster();
    const files = heldIdentity(SERVER, cluster.ca.pem, issue(cluster.ca));
    const machine = { files, wait: cluster.wait, send: cluster.send };
    cluster.put(nodeRef('w1'), { status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    const node = { resource: 'nodes', name: 'w1' };
    for (const condition of [undefined, 'Ready=False'])
      expect((await runPhase(waitFor, { object: node, condition }, memoryHost(machine))).error).toBeUndefined();
    const { error } = await runPhase(waitFor, { object: node, condition: 'Ready' }, memoryHost(machine));
    expect(error).toMatchObject({ message: 'would wait forever for nodes w1' });
    expect((await runPhase(waitFor, { object: node }, memoryHost())).error).toMatchObject({
      code: 'E_PHASE_INPUT',
      message: expect.stringContaining('this machine has no identity in the cluster yet'),
    });
  });

  test.each([
    [{}, 'needs exactly one of: port, path, url, object'],
    [{ port: 'a:1', path: '/a' }, 'needs exactly one of: port, path, url, object'],
    [{ port: 'a:1', contains: 'x', condition: 'Ready' }, 'contains requires path; condition requires object'],
  ])('wait-for refuses the contradictory inputs %j', async (input, problems) => {
    const { error } = await runPhase(waitFor, input, memoryHost());
    expect(error).toMatchObject({ message: `the inputs of phase wait-for contradict each other: ${problems}` });
  });
});
