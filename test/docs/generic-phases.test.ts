/** The examples of docs/generic-phases.md: each is validated, planned as a dry run, and run. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../engine/host/recording.ts';
import { nodeRef } from '../../engine/node/index.ts';
import { loadPipeline } from '../../engine/pipeline/load.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { run } from '../../engine/run/run.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import { registry } from '../helpers/app.ts';
import { FakeCluster, issue, SERVER } from '../helpers/cluster.ts';
import { heldIdentity } from '../helpers/node.ts';

const text = readFileSync(new URL('../../docs/generic-phases.md', import.meta.url), 'utf8');
const sections = text
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    name: section.split('\n', 1)[0] ?? '',
    yaml: /^```yaml\n([\s\S]*?)^```/m.exec(section)?.[1] ?? '',
  }))
  .filter(({ yaml }) => yaml !== '');

const pipelineOf = (name: string, steps: string): string => `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: ${name}, description: "An example" }
inputs:
  type: object
  properties: { token: { type: string, writeOnly: true }, region: { type: string } }
steps:
${steps.replace(/^/gm, '  ').trimEnd()}
`;

function machine(): MemoryMachine {
  const cluster = new FakeCluster();
  cluster.put(nodeRef('w1'), { status: { conditions: [{ type: 'Ready', status: 'True' }] } });
  return {
    services: { chrony: {} },
    outputs: { 'uname -r': { stdout: '6.1.0' }, 'wg show wg0': { exitCode: 1 } },
    files: {
      ...heldIdentity(SERVER, cluster.ca.pem, issue(cluster.ca)),
      '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
      '/etc/group': 'adm:x:4:\n',
      '/proc/sys/net/ipv4/ip_forward': '0\n',
    },
    call: ({ method }) => {
      if (method !== 'GET') return { status: 201, body: '' };
      throw Object.assign(new Error('404'), {
        code: 'E_HTTP_ANSWER',
        transient: false,
        [Symbol.for('joinery.error')]: true,
      });
    },
    send: cluster.send,
    wait: async (condition) => (condition.kind === 'port' ? undefined : cluster.wait(condition)),
  };
}

describe('docs/generic-phases.md', () => {
  test('docs/generic-phases.md has a section for each generic phase', () => {
    const generic = ['assert', 'command', 'file', 'http', 'kernel-module', 'service', 'sysctl', 'wait-for'];
    expect(sections.map(({ name }) => name).sort()).toEqual(generic);
  });

  test.each(sections)(
    'the example of $name runs; its dry run records the same changes and makes none',
    async ({ name, yaml }) => {
      const pipeline = loadPipeline(`${name}.yaml`, pipelineOf(name, yaml));
      expect(yaml).toContain(`uses: ${name}\n`);
      const inputs = { token: 'canary-token-0123', region: 'eu-1' };
      const [host, dry] = [memoryHost(machine()), memoryHost(machine())];
      const result = await run({ plan: planOf(pipeline, registry, inputs, host.facts), host });
      expect([result.status, result.error]).toEqual(['succeeded', undefined]);
      const plan = planOf(pipeline, registry, inputs, dry.facts);
      const planned = await run({ plan, host: recordingHost(dry) });
      expect(planned.steps.map(({ changes }) => changes)).toEqual(result.steps.map(({ changes }) => changes));
      expect(dry.changes).toEqual([]);
      expect(JSON.stringify(result)).not.toContain('canary-token');
    },
  );
});
