/** A fact about an input stands in the pipeline, where it is a flag, and in the schema of each phase that takes it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { registry } from '../../helpers/app.ts';
import { PROJECT } from '../../helpers/sources.ts';

interface Step {
  id: string;
  uses: string | { phase: string }[];
  with?: Record<string, unknown>;
}
type Inputs = Record<string, { description?: string }>;

const pipeline = parse(readFileSync(join(PROJECT, 'pipelines/join-worker.yaml'), 'utf8')) as {
  inputs: { properties: Inputs };
  steps: Step[];
};
const phases = new Map(registry.all().map((phase) => [phase.name, phase]));
/** The noun phrase at the start. Defaults and details after it may differ between a pipeline and a phase. */
const core = (text = ''): string => text.split(/[:;,(]/, 1)[0]?.trim() ?? '';
/** It takes the inputs of discovery by token only to refuse them, and says so. */
const REFUSES = 'discovery-file';

const passed = pipeline.steps.flatMap(({ uses, with: values = {} }) =>
  [uses].flat().flatMap((use) => {
    const name = typeof use === 'string' ? use : use.phase;
    if (name === REFUSES) return [];
    return Object.entries(values).flatMap(([input, value]) => {
      const taken = (phases.get(name)?.input.properties as Inputs | undefined)?.[input]?.description;
      return value === `\${{ inputs.${input} }}` && taken !== undefined ? [{ name, input, taken }] : [];
    });
  }),
);

test.each(passed)('the pipeline and the phase $name describe $input alike', ({ input, taken }) => {
  expect(core(taken)).toBe(core(pipeline.inputs.properties[input]?.description));
});

test('the default pipeline passes its inputs on to phases', () => {
  expect(passed.length).toBeGreaterThan(15);
});
