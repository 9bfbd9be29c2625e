/** Two steps that write the same file. The last one decides its content, so their order must be defined. */
import { fillTemplate } from '../sdk/effects.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import { isAfter, type Needs, orderOf } from './graph.ts';
import type { Pipeline, PipelineStep } from './load.ts';

interface Writer {
  step: PipelineStep;
  /** The phases that the step may use. */
  candidates: readonly { phase: AnyPhase }[];
}

/** If each writer of a path comes after the previous one, all of them are ordered. */
export function checkWriteConflicts(pipeline: Pipeline, needs: Needs, writers: readonly Writer[], key: string): void {
  const indexOf = new Map(writers.map(({ step }, index) => [step.id, index]));
  const last = new Map<string, string>();
  for (const id of orderOf(needs)) {
    const { candidates = [], step } = writers[indexOf.get(id) ?? 0] ?? {};
    for (const path of pathsOf(candidates, step)) {
      const before = last.get(path);
      last.set(path, id);
      if (before === undefined || isAfter(needs, id, before)) continue;
      const [first = '', second = ''] = [before, id].sort((a, b) => (indexOf.get(a) ?? 0) - (indexOf.get(b) ?? 0));
      pipeline.problems.at(
        [key, indexOf.get(second) ?? 0, 'id'],
        `steps ${first} and ${second} both write ${path} in no defined order: add one to the needs of the other`,
        'two-writers',
      );
    }
  }
}

/** The paths that a step writes, as far as its literals and defaults determine them. */
function pathsOf(candidates: Writer['candidates'], step: PipelineStep | undefined): Set<string> {
  const literals = Object.entries(step?.with ?? {}).filter(([, value]) => !JSON.stringify(value).includes('${{'));
  return new Set(
    candidates.flatMap(({ phase }) => {
      const properties = Object.entries(phase.input.properties ?? {});
      const defaults = properties.filter(([name]) => !Object.hasOwn(step?.with ?? {}, name));
      const known = Object.fromEntries([...defaults.map(([name, schema]) => [name, schema.default]), ...literals]);
      return phase.effects.flatMap((effect) =>
        effect.kind === 'path' ? (fillTemplate(effect.path, known) ?? []) : [],
      );
    }),
  );
}
