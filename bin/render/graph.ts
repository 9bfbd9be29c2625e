/** The order of a pipeline's steps as a picture: a tree of text, Mermaid, or DOT. SVG is next door. */
import type { CheckedPipeline } from '../../engine/pipeline/check.ts';
import { orderOf } from '../../engine/pipeline/graph.ts';
import { type Pipeline, variantsOf } from '../../engine/pipeline/load.ts';
import { printable } from '../../engine/sdk/index.ts';

/** A step, and those it comes directly after: what these need, it needs all the same. */
export interface Drawn {
  id: string;
  /** Several, where a run decides which. */
  phase: string;
  after: readonly string[];
}

/** With more of them, nobody looks at arrows, and finding out which to leave out would take long. */
const STEPS_MAX = 500;

/** In an order in which each comes after what it needs. Steps of `finally` come after all the others. */
export function drawn(pipeline: Pipeline, { steps, finally: last }: CheckedPipeline): Drawn[] {
  const needed = new Set(steps.flatMap(({ needs }) => needs));
  const ends = steps.flatMap(({ id }) => (needed.has(id) ? [] : [id]));
  const after = (last?.steps ?? []).map((step) => ({ ...step, needs: step.needs.length === 0 ? ends : step.needs }));
  const planned = new Map([...steps, ...after].map((step) => [step.id, step]));
  const isShort = planned.size <= STEPS_MAX;
  const above = new Map<string, ReadonlySet<string>>();
  return orderOf(new Map([...planned].map(([id, { needs }]) => [id, needs]))).map((id) => {
    const needs = planned.get(id)?.needs ?? [];
    const indirect = new Set(isShort ? needs.flatMap((need) => [...(above.get(need) ?? [])]) : []);
    if (isShort) above.set(id, new Set([...needs, ...indirect]));
    return { id, phase: phasesOf(pipeline, id), after: needs.filter((need) => !indirect.has(need)) };
  });
}

/** `finally` in front, and all phases that a step may use. An approval has none. */
function phasesOf({ steps, finally: last = [] }: Pipeline, id: string): string {
  const step = [...steps, ...last].find((each) => each.id === id);
  if (step === undefined) return '';
  const phases =
    step.approval === undefined
      ? variantsOf(step)
          .map(({ phase }) => phase)
          .join(' or ')
      : 'approval';
  if (!last.includes(step)) return phases;
  return phases === id ? 'finally' : `finally: ${phases}`;
}

/** Each step stands below the last of those it comes after; the others are named. Of very many, a list. */
export function treeText(name: string, steps: readonly Drawn[]): string {
  if (steps.length > STEPS_MAX)
    return printable([name, ...steps.map(({ id, after }) => `${id}  after ${after.join(', ')}`)].join('\n'));
  const order = new Map(steps.map(({ id }, index) => [id, index]));
  const parentOf = ({ after }: Drawn) => after.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)).at(-1);
  const below = (parent: string | undefined, indent: string): string[] => {
    const children = steps.filter((step) => parentOf(step) === parent);
    return children.flatMap((step, index) => {
      const isLast = index === children.length - 1;
      const others = step.after.filter((id) => id !== parent);
      const phase = step.phase === step.id ? '' : ` (${step.phase})`;
      const also = others.length === 0 ? '' : `  also after ${others.join(', ')}`;
      return [
        `${indent}${isLast ? '└─' : '├─'} ${step.id}${phase}${also}`,
        ...below(step.id, `${indent}${isLast ? '   ' : '│  '}`),
      ];
    });
  };
  return printable([name, ...below(undefined, '')].join('\n'));
}

/** Ids are of letters, digits and dashes, so nothing in them needs escaping. */
export function mermaidText(steps: readonly Drawn[]): string {
  const nodes = steps.map(({ id, phase }) => `  ${id}["${labelOf(id, phase, '<br>')}"]`);
  const edges = steps.flatMap(({ id, after }) => after.map((before) => `  ${before} --> ${id}`));
  return ['flowchart LR', ...nodes, ...edges].join('\n');
}

export function dotText(name: string, steps: readonly Drawn[]): string {
  const nodes = steps.map(({ id, phase }) => `  "${id}" [label="${labelOf(id, phase, '\\n')}"];`);
  const edges = steps.flatMap(({ id, after }) => after.map((before) => `  "${before}" -> "${id}";`));
  const look = ['  rankdir=LR;', '  node [shape=box, style=rounded, fontname="sans-serif"];'];
  return [`digraph "${name}" {`, ...look, ...nodes, ...edges, '}'].join('\n');
}

const labelOf = (id: string, phase: string, lineEnd: string): string =>
  phase === id ? id : `${id}${lineEnd}${phase.replace(/["\\<>]/g, ' ')}`;
