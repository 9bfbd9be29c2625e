import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ExplainedValue, leavesOf } from '../../../engine/environment/explain.ts';
import { loadEnvironment, readTracked } from '../../../engine/environment/load.ts';
import { loadJsonPatch, type ResolvedPipeline, resolvePipeline } from '../../../engine/environment/resolve.ts';
import type { PipelineStep } from '../../../engine/pipeline/load.ts';

const NUM_RUNS = 150;

type Patch = Record<string, unknown>;
interface Base {
  steps: Record<string, unknown>[];
}

/** JSON is YAML too; a step to a line. */
const pipelineText = ({ steps }: Base): string =>
  `{"apiVersion":"joinery.dev/v1","kind":"Pipeline","metadata":{"name":"made"},"defaults":{"timeout":"5m"},"steps":[\n${steps.map((step) => JSON.stringify(step)).join(',\n')}\n]}`;
const environmentText = (patches: readonly Patch[]): string =>
  `{"apiVersion":"joinery.dev/v1","kind":"Environment","metadata":{"name":"site"},"patches":[\n${patches.map((patch) => JSON.stringify(patch)).join(',\n')}\n]}`;

async function resolvedTexts(base: string, environment: string): Promise<ResolvedPipeline> {
  const environments = [loadEnvironment('site', 'site.yaml', environment)];
  return resolvePipeline(readTracked('made.yaml', base), environments, await loadJsonPatch(environments));
}
const resolvedWith = (base: Base, ...patches: Patch[]) => resolvedTexts(pipelineText(base), environmentText(patches));

/** The order of a step's needs has no meaning. */
const stepsOf = ({ pipeline }: ResolvedPipeline): PipelineStep[] =>
  pipeline.steps.map((step) => ({ ...step, ...(step.needs === undefined ? {} : { needs: step.needs.toSorted() }) }));

const word = fc.constantFrom('one', 'two', 'three', 'four');
const withs = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.oneof(word, fc.nat(9), fc.array(word, { maxLength: 2 })),
  {
    maxKeys: 3,
    noNullPrototype: true,
  },
);

const bases: fc.Arbitrary<Base> = fc.integer({ min: 2, max: 7 }).chain((count) =>
  fc
    .tuple(
      ...Array.from({ length: count }, (_, index) =>
        fc.record(
          {
            needs: fc.subarray(Array.from({ length: index }, (__, earlier) => `s${earlier}`)),
            timeout: fc.constantFrom('1s', '2s'),
            with: withs,
          },
          { requiredKeys: [] },
        ),
      ),
    )
    .map((steps) => ({ steps: steps.map((step, index) => ({ id: `s${index}`, uses: 'made', ...step })) })),
);

const merges = (id: string): fc.Arbitrary<Patch> =>
  fc
    .record(
      { timeout: fc.constantFrom('3s', '4s', null), with: fc.oneof(withs, fc.constant({ a: null })) },
      { requiredKeys: [] },
    )
    .map((merge) => ({ step: id, merge }));
const replaces = (id: string): fc.Arbitrary<Patch> =>
  withs.map((inputs) => ({ step: id, replace: { uses: 'other', with: inputs } }));
const inserts = (id: string, anchor: string): fc.Arbitrary<Patch> =>
  fc.oneof(
    fc.constantFrom('after', 'before').map((where) => ({ insert: { [where]: anchor, step: { id, uses: 'new' } } })),
    fc.constant({ step: anchor, wrap: { before: { id, uses: 'new' }, after: { id: `${id}-end`, uses: 'new' } } }),
  );
/** Any change of the step `anchor`, which brings steps of the name `id` if it brings any. */
const patchesOf = (id: string, anchor: string): fc.Arbitrary<Patch> =>
  fc.oneof(merges(anchor), replaces(anchor), inserts(id, anchor), fc.constant({ remove: anchor }));

const twoOf = (base: Base): fc.Arbitrary<[string, string]> =>
  fc.shuffledSubarray(
    base.steps.map(({ id }) => String(id)),
    { minLength: 2, maxLength: 2 },
  ) as fc.Arbitrary<[string, string]>;
const oneOf = (base: Base): fc.Arbitrary<string> => fc.constantFrom(...base.steps.map(({ id }) => String(id)));

describe('patches', () => {
  test('patches of different steps have the same result in either order', async () => {
    const cases = bases.chain((base) =>
      twoOf(base).chain(([first, second]) =>
        fc.record({ base: fc.constant(base), one: patchesOf('x', first), other: patchesOf('y', second) }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ base, one, other }) => {
        fc.pre(base.steps.length > 2 || !('remove' in one && 'remove' in other)); // a pipeline has a step
        const [there, back] = [await resolvedWith(base, one, other), await resolvedWith(base, other, one)];
        expect(stepsOf(there)).toEqual(stepsOf(back));
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('merging or replacing twice has the same result as once', async () => {
    const cases = bases.chain((base) =>
      oneOf(base).chain((id) => fc.record({ base: fc.constant(base), patch: fc.oneof(merges(id), replaces(id)) })),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ base, patch }) => {
        const environment = environmentText([patch]);
        const environments = [1, 2].map(() => loadEnvironment('site', 'site.yaml', environment));
        const twice = resolvePipeline(readTracked('made.yaml', pipelineText(base)), environments, undefined);
        const once = await resolvedWith(base, patch);
        expect(twice.plain).toEqual(once.plain);
        expect(explainedFields(leavesOf(twice.tracked))).toEqual(explainedFields(leavesOf(once.tracked)));
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('removing inserted steps restores the base', async () => {
    const placed = fc.constantFrom('start', 'end').map((at) => ({ insert: { at, step: { id: 'x', uses: 'new' } } }));
    const cases = bases.chain((base) =>
      oneOf(base).chain((id) =>
        fc.record({ base: fc.constant(base), insert: fc.oneof(inserts('x', id), placed as fc.Arbitrary<Patch>) }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ base, insert }) => {
        const inserted = 'wrap' in insert ? ['x', 'x-end'] : ['x'];
        const removes = inserted.map((id) => ({ remove: id }));
        expect((await resolvedWith(base, insert, ...removes)).plain).toEqual((await resolvedWith(base)).plain);
        expect((await resolvedWith(base, insert, ...removes.toReversed())).plain).toEqual(
          (await resolvedWith(base)).plain,
        );
      }),
      { numRuns: NUM_RUNS },
    );
  });
});

const explainedFields = (leaves: readonly ExplainedValue[]) =>
  leaves.map(({ path, value, origin, over }) => ({ path, value, origin, over }));

interface Origin {
  file: string;
  line: number;
  column: number;
}
const offsetOf = (text: string, { line, column }: Origin): number =>
  text
    .split('\n')
    .slice(0, line - 1)
    .reduce((sum, each) => sum + each.length + 1, 0) +
  column -
  1;

describe('the origin of values', () => {
  const cases = bases.chain((base) =>
    fc.record({
      base: fc.constant(base),
      patches: twoOf(base).chain(([first, second]) => fc.tuple(patchesOf('x', first), patchesOf('y', second))),
    }),
  );

  test('every leaf has an origin, and the origin contains its value', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ base, patches }) => {
        fc.pre(base.steps.length > 2 || patches.some((patch) => !('remove' in patch)));
        const texts: Record<string, string> = {
          'made.yaml': pipelineText(base),
          'site.yaml': environmentText(patches),
        };
        const { tracked, plain } = await resolvedTexts(texts['made.yaml'] ?? '', texts['site.yaml'] ?? '');
        const leaves = leavesOf(tracked);
        expect(leaves.map(({ value }) => value)).toEqual(leafValues(plain));
        for (const { value, origin, over } of leaves)
          for (const said of [{ value, origin }, ...over]) {
            if (typeof said.value === 'object') continue; // an empty list or mapping: it may be what is left of one
            const place = said.origin as Origin & { kind: string };
            expect(place.kind).toBe('file');
            const text = texts[place.file] ?? '';
            expect(text.slice(offsetOf(text, place)).startsWith(JSON.stringify(said.value))).toBe(true);
          }
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test('changing a value at its origin changes this value and no other', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(), async ({ base, patches }, seed) => {
        fc.pre(base.steps.length > 2 || patches.some((patch) => !('remove' in patch)));
        const texts: Record<string, string> = {
          'made.yaml': pipelineText(base),
          'site.yaml': environmentText(patches),
        };
        const resolved = await resolvedTexts(texts['made.yaml'] ?? '', texts['site.yaml'] ?? '');
        const leaves = leavesOf(resolved.tracked);
        const changeable = leaves.filter(({ path, value }) => path.includes('with') && typeof value !== 'object');
        const leaf = changeable[seed % changeable.length];
        if (leaf === undefined) return;
        const place = leaf.origin as Origin;
        const text = texts[place.file] ?? '';
        const offset = offsetOf(text, place);
        texts[place.file] = `${text.slice(0, offset)}"other"${text.slice(offset + JSON.stringify(leaf.value).length)}`;
        const other = leavesOf((await resolvedTexts(texts['made.yaml'] ?? '', texts['site.yaml'] ?? '')).tracked);
        const changed = other.filter(({ value }, index) => value !== leaves[index]?.value);
        const values = (each: readonly ExplainedValue[]) => each.filter(({ value }) => typeof value !== 'object');
        expect(values(other).length).toBe(values(leaves).length);
        expect(values(changed).map(({ path, value }) => [path, value])).toEqual([[leaf.path, 'other']]);
      }),
      { numRuns: NUM_RUNS },
    );
  });
});

function leafValues(plain: unknown): unknown[] {
  const inner = typeof plain === 'object' && plain !== null ? Object.values(plain) : [];
  return inner.length === 0 ? [plain] : inner.flatMap(leafValues);
}
