/** Steps that write one file: whoever comes last decides what is in it, so there has to be a last one. */
import { fillTemplate } from '../sdk/effects.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import { isAfter, type Needs, orderOf } from './graph.ts';
import type { Pipeline, PipelineStep } from './load.ts';

interface Writer {
  step: PipelineStep;
  /** The phases that it may use. */
  candidates: readonly { phase: AnyPhase }[];
}

/** Two steps that write one path must be ordered. Where each writer comes after the one before it, all of them are in order. */
export function checkWriters(pipeline: Pipeline, needs: Needs, checked: readonly Writer[], key = 'steps'): void {
  const indexOf = new Map(checked.map(({ step }, index) => [step.id, index]));
  const last = new Map<string, string>();
  for (const id of orderOf(needs)) {
    const { candidates = [], step } = checked[indexOf.get(id) ?? 0] ?? {};
    for (const path of pathsOf(candidates, step)) {
      const before = last.get(path);
      last.set(path, id);
      if (before === undefined || isAfter(needs, id, before)) continue;
      const [first = '', second = ''] = [before, id].sort((a, b) => (indexOf.get(a) ?? 0) - (indexOf.get(b) ?? 0));
      pipeline.problems.at(
        [key, indexOf.get(second) ?? 0, 'id'],
        `${first} and ${second} both write ${path}, in no certain order: add one to the needs of the other`,
        'two-writers',
      );
    }
  }
}

/** The paths that a step writes, as far as they are known before anybody gives a value. */
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
