/** Phases and a header for the pipelines of these tests. */
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { writes } from '../../../engine/sdk/index.ts';
import { phaseOfStep } from '../../helpers/plans.ts';

export const CANARY = 'canary-7f3a';
export const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };

export const greet = phaseOfStep({
  id: 'greet',
  run: () => ({}),
  effects: [writes('/etc/motd', 0o644, 'the greeting')],
  input: {
    type: 'object',
    properties: {
      text: { type: 'string', pattern: '^[a-z0-9 ]+$' },
      count: { type: 'integer', minimum: 1, default: 1 },
      ratio: { type: 'number' },
      loud: { type: 'boolean' },
      tags: { type: 'array', items: { type: 'string' } },
      token: { type: 'string', writeOnly: true, pattern: '^[a-z]{6}$' },
    },
    required: ['text'],
    additionalProperties: false,
  },
  output: { type: 'object', properties: { message: { type: 'string' }, size: { type: 'integer' } } },
});
export const listen = phaseOfStep({
  id: 'listen',
  run: () => ({}),
  input: {
    type: 'object',
    properties: { heard: { type: 'string' }, ratio: { type: 'number' } },
    additionalProperties: false,
  },
});

export function phases(): Registry {
  const registry = new Registry();
  registry.add(greet);
  registry.add(listen);
  return registry;
}

export const HEAD = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: made }\n'; // lines 1 to 3
export const load = (body: string) => loadPipeline('made.yaml', HEAD + body);
