/** The order of a pipeline's steps as a text tree, Mermaid or DOT. `svg.ts` draws SVG. */
import type { CheckedPipeline } from '../../engine/pipeline/check.ts';
import { orderOf } from '../../engine/pipeline/graph.ts';
import { type Pipeline, variantsOf } from '../../engine/pipeline/load.ts';
import { printable } from '../../engine/sdk/index.ts';

export interface GraphNode {
  /** ID of the step. */
  id: string;
  /** Several if the run decides which one it uses. */
  phase: string;
  /** The steps that come directly before; indirect predecessors are omitted. */
  after: readonly string[];
}

/** With more steps than this, arrows are unreadable, and finding indirect predecessors would be slow. */
const STEPS_MAX = 500;

/** In an order in which each step comes after its predecessors. Steps of `finally` come last. */
export function graphNodes(pipeline: Pipeline, { steps, finally: last }: CheckedPipeline): GraphNode[] {
  const needed = new Set(steps.flatMap(({ needs }) => needs));
  const ends = steps.flatMap(({ id }) => (needed.has(id) ? [] : [id]));
  const finals = (last?.steps ?? []).map((step) => ({ ...step, needs: step.needs.length === 0 ? ends : step.needs }));
  const planned = new Map([...steps, ...finals].map((step) => [step.id, step]));
  const isShort = planned.size <= STEPS_MAX;
  const above = new Map<string, ReadonlySet<string>>();
  return orderOf(new Map([...planned].map(([id, { needs }]) => [id, needs]))).map((id) => {
    const needs = planned.get(id)?.needs ?? [];
    const indirect = new Set(isShort ? needs.flatMap((need) => [...(above.get(need) ?? [])]) : []);
    if (isShort) above.set(id, new Set([...needs, ...indirect]));
    return { id, phase: phasesOf(pipeline, id), after: needs.filter((need) => !indirect.has(need)) };
  });
}

/** All phases that a step may use, after "finally" if it is such a step. An approval has no phase. */
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

/** Each step is below the last of its predecessors and names the others. A very long pipeline becomes a list. */
export function treeText(name: string, nodes: readonly GraphNode[]): string {
  if (nodes.length > STEPS_MAX)
    return printable([name, ...nodes.map(({ id, after }) => `${id}  after ${after.join(', ')}`)].join('\n'));
  const order = new Map(nodes.map(({ id }, index) => [id, index]));
  const parentOf = ({ after }: GraphNode) => after.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)).at(-1);
  const below = (parent: string | undefined, indent: string): string[] => {
    const children = nodes.filter((node) => parentOf(node) === parent);
    return children.flatMap((node, index) => {
      const isLast = index === children.length - 1;
      const others = node.after.filter((id) => id !== parent);
      const phase = node.phase === node.id ? '' : ` (${node.phase})`;
      const also = others.length === 0 ? '' : `  also after ${others.join(', ')}`;
      return [
        `${indent}${isLast ? '└─' : '├─'} ${node.id}${phase}${also}`,
        ...below(node.id, `${indent}${isLast ? '   ' : '│  '}`),
      ];
    });
  };
  return printable([name, ...below(undefined, '')].join('\n'));
}

/** IDs consist of letters, digits and dashes, so they need no escaping. */
export function mermaidText(nodes: readonly GraphNode[]): string {
  const boxes = nodes.map(({ id, phase }) => `  ${id}["${labelOf(id, phase, '<br>')}"]`);
  const edges = nodes.flatMap(({ id, after }) => after.map((before) => `  ${before} --> ${id}`));
  return ['flowchart LR', ...boxes, ...edges].join('\n');
}

export function dotText(name: string, nodes: readonly GraphNode[]): string {
  const boxes = nodes.map(({ id, phase }) => `  "${id}" [label="${labelOf(id, phase, '\\n')}"];`);
  const edges = nodes.flatMap(({ id, after }) => after.map((before) => `  "${before}" -> "${id}";`));
  const style = ['  rankdir=LR;', '  node [shape=box, style=rounded, fontname="sans-serif"];'];
  return [`digraph "${name}" {`, ...style, ...boxes, ...edges, '}'].join('\n');
}

const labelOf = (id: string, phase: string, lineEnd: string): string =>
  phase === id ? id : `${id}${lineEnd}${phase.replace(/["\\<>]/g, ' ')}`;
