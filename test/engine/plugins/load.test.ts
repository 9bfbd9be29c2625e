import { describe, expect, test } from 'vitest';
import { planOfPhase } from '../../../engine/pipeline/phase-plan.ts';
import { run } from '../../../engine/run/run.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { load, phaseOf } from './folder.ts';

describe('a plugin in a folder', () => {
  test('a plugin has the identity of its package.json and the phases of its module', async () => {
    const { manifest, phases, integrity } = await load();
    expect(manifest).toMatchObject({ name: 'acme', version: '1.0.0', main: 'index.js', phases: ['acme'] });
    expect(integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    expect(phases.map(({ name, origin }) => [name, origin?.plugin, origin?.version, origin?.integrity])).toEqual([
      ['acme', 'acme', '1.0.0', integrity],
    ]);
  });

  test('a phase of a plugin runs like any other phase', async () => {
    const phase = await phaseOf();
    const host = memoryHost({ directories: ['/etc'] });
    const result = await run({ plan: planOfPhase('acme', phase, { text: 'hi' }, host.facts), host });
    expect(result).toMatchObject({
      status: 'succeeded',
      steps: [{ outputs: { path: '/etc/motd' }, changes: [{ kind: 'file', path: '/etc/motd', content: 'hi' }] }],
    });
  });
});
