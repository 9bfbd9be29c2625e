/** The order of a pipeline's steps as a text tree, Mermaid or DOT. `svg.ts` draws SVG. */
import type { CheckedPipeline } from '../../engine/pipeline/check.ts';
import { orderOf } from '../../engine/pipeline/graph.ts';
import { type Pipeline, type PipelineStep, variantsOf } from '../../engine/pipeline/load.ts';
import { defined, printable } from '../../engine/sdk/index.ts';

export interface GraphNode {
  /** ID of the step. */
  id: string;
  /** Several if the run decides which one it uses. */
  phase: string;
  /** The steps that come directly before; indirect predecessors are omitted. */
  after: readonly string[];
  kind: 'step' | 'approval' | 'finally';
  /** The condition without which the step is skipped. Absent: it always runs. */
  condition?: string;
  /** The environment that inserted or replaced the step. Absent: it is from the pipeline. */
  environment?: string;
  isRetried: boolean;
  /** The result of the step in a run. Absent: a picture of the pipeline only. */
  outcome?: GraphOutcome;
}

export interface GraphOutcome {
  colour: 'good' | 'bad' | 'warning' | 'idle';
  text: string;
}

/** With more steps than this, arrows are unreadable, and finding indirect predecessors would be slow. */
const STEPS_MAX = 500;

/**
 * In an order in which each step comes after its predecessors. Steps of `finally` come last. `environments` names the
 * environment of each step that does not come from the pipeline.
 */
export function graphNodes(
  pipeline: Pipeline,
  { steps, finally: last }: CheckedPipeline,
  environments: ReadonlyMap<string, string> = new Map(),
): GraphNode[] {
  const needed = new Set(steps.flatMap(({ needs }) => needs));
  const ends = steps.flatMap(({ id }) => (needed.has(id) ? [] : [id]));
  const finals = (last?.steps ?? []).map((step) => ({ ...step, needs: step.needs.length === 0 ? ends : step.needs }));
  const planned = new Map([...steps, ...finals].map((step) => [step.id, step]));
  const written = new Map([...pipeline.steps, ...(pipeline.finally ?? [])].map((step) => [step.id, step]));
  const finalIds = new Set(finals.map(({ id }) => id));
  const isShort = planned.size <= STEPS_MAX;
  const above = new Map<string, ReadonlySet<string>>();
  return orderOf(new Map([...planned].map(([id, { needs }]) => [id, needs]))).map((id) => {
    const needs = planned.get(id)?.needs ?? [];
    const indirect = new Set(isShort ? needs.flatMap((need) => [...(above.get(need) ?? [])]) : []);
    if (isShort) above.set(id, new Set([...needs, ...indirect]));
    const after = needs.filter((need) => !indirect.has(need));
    const step = written.get(id);
    return defined({
      id,
      phase: phasesOf(step),
      after,
      kind: finalIds.has(id) ? ('finally' as const) : kindOf(step),
      condition: step?.if,
      environment: environments.get(id),
      isRetried: (planned.get(id)?.retry.attempts ?? 1) > 1,
    });
  });
}

const kindOf = (step: PipelineStep | undefined): 'step' | 'approval' =>
  step?.approval === undefined ? 'step' : 'approval';

/** All phases that a step may use. An approval has no phase. */
const phasesOf = (step: PipelineStep | undefined): string =>
  step === undefined || step.approval !== undefined
    ? 'approval'
    : variantsOf(step)
        .map(({ phase }) => phase)
        .join(' or ');

const CONDITION_LETTERS_MAX = 40;

/** What sets a step apart from others, in words. */
export function marksOf({ kind, condition, environment, isRetried, outcome }: GraphNode): string[] {
  return [
    ...(outcome === undefined ? [] : [outcome.text]),
    ...(kind === 'finally' ? ['finally'] : []),
    ...(condition === undefined ? [] : [`if ${shortened(condition)}`]),
    ...(environment === undefined ? [] : [`from ${environment}`]),
    ...(isRetried && outcome === undefined ? ['retries'] : []), // the outcome counts the attempts
  ];
}

const shortened = (text: string): string =>
  text.length <= CONDITION_LETTERS_MAX ? text : `${text.slice(0, CONDITION_LETTERS_MAX - 1)}…`;

/** The text in a box: the ID, the phase if its name differs, and the marks. */
export const linesOf = (node: GraphNode): string[] => {
  const marks = marksOf(node);
  return [node.id, ...(node.phase === node.id ? [] : [node.phase]), ...(marks.length === 0 ? [] : [marks.join(' · ')])];
};

/**
 * Each step is below the last of its predecessors, and names the others. The only step below another one is in the same
 * column, with an arrow. A very long pipeline becomes a list.
 */
export function treeText(name: string, nodes: readonly GraphNode[]): string {
  if (nodes.length > STEPS_MAX)
    return printable([name, ...nodes.map(({ id, after }) => `${id}  after ${after.join(', ')}`)].join('\n'));
  const order = new Map(nodes.map(({ id }, index) => [id, index]));
  const parentOf = ({ after }: GraphNode) => after.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0)).at(-1);
  const childrenOf = (parent: string | undefined) => nodes.filter((node) => parentOf(node) === parent);
  const below = (parent: string | undefined, indent: string): string[] => {
    const children = childrenOf(parent);
    const [only] = children;
    if (parent !== undefined && only !== undefined && children.length === 1)
      return [`${indent}↓ ${treeLine(only, parent)}`, ...below(only.id, indent)];
    return children.flatMap((node, index) => {
      const isLast = index === children.length - 1;
      return [
        `${indent}${isLast ? '└─' : '├─'} ${treeLine(node, parent)}`,
        ...below(node.id, `${indent}${isLast ? '   ' : '│  '}`),
      ];
    });
  };
  return printable([name, ...below(undefined, '')].join('\n'));
}

function treeLine(node: GraphNode, parent: string | undefined): string {
  const others = node.after.filter((id) => id !== parent);
  const phase = node.phase === node.id ? '' : ` (${node.phase})`;
  const about = [...(others.length === 0 ? [] : [`also after ${others.join(', ')}`]), ...marksOf(node)];
  return `${node.id}${phase}${about.length === 0 ? '' : `  ${about.join('; ')}`}`;
}

/** The look of a step: its shape says what it is, its fill where it is from, and its border whether it always runs. */
const MERMAID_STYLES = {
  approval: 'fill:#ddf4ff,stroke:#0969da,color:#1f2328',
  environment: 'fill:#fff8c5,stroke:#9a6700,color:#1f2328',
  conditional: 'stroke-dasharray:5 3',
};

/** Words that Mermaid does not accept as an ID. */
const MERMAID_WORDS =
  /^(end|graph|subgraph|flowchart|click|style|class|classDef|linkStyle|default|direction|call|href)$/;

/** IDs consist of letters, digits and dashes, so they need no other escaping. */
const mermaidId = (id: string): string => (MERMAID_WORDS.test(id) ? `${id}_` : id);

export function mermaidText(nodes: readonly GraphNode[]): string {
  const finals = new Set(nodes.flatMap(({ id, kind }) => (kind === 'finally' ? [id] : [])));
  const boxes = nodes.map((node) => {
    const [open, close] = MERMAID_SHAPES[node.kind];
    return `  ${mermaidId(node.id)}${open}"${labelOf(node, '<br>')}"${close}`;
  });
  const edges = nodes.flatMap(({ id, after }) =>
    after.map((before) => `  ${mermaidId(before)} ${finals.has(id) ? '-.->' : '-->'} ${mermaidId(id)}`),
  );
  const classes = (Object.keys(MERMAID_STYLES) as (keyof typeof MERMAID_STYLES)[]).flatMap((name) => {
    const ids = nodes.filter((node) => isOfClass(node, name)).map(({ id }) => mermaidId(id));
    return ids.length === 0 ? [] : [`  classDef ${name} ${MERMAID_STYLES[name]}`, `  class ${ids.join(',')} ${name}`];
  });
  return ['flowchart TD', ...boxes, ...edges, ...classes].join('\n');
}

const MERMAID_SHAPES = { step: ['[', ']'], approval: ['{{', '}}'], finally: ['([', '])'] } as const;

function isOfClass({ kind, environment, condition }: GraphNode, name: keyof typeof MERMAID_STYLES): boolean {
  if (name === 'approval') return kind === 'approval';
  return name === 'environment' ? environment !== undefined : condition !== undefined;
}

export function dotText(name: string, nodes: readonly GraphNode[]): string {
  const finals = new Set(nodes.flatMap(({ id, kind }) => (kind === 'finally' ? [id] : [])));
  const boxes = nodes.map((node) => `  "${node.id}" [label="${labelOf(node, '\\n')}"${dotLook(node)}];`);
  const edges = nodes.flatMap(({ id, after }) =>
    after.map((before) => `  "${before}" -> "${id}"${finals.has(id) ? ' [style=dashed]' : ''};`),
  );
  const style = ['  rankdir=TB;', '  node [shape=box, style=rounded, fontname="sans-serif"];'];
  return [`digraph "${name}" {`, ...style, ...boxes, ...edges, '}'].join('\n');
}

function dotLook({ kind, environment, condition }: GraphNode): string {
  const styles = [
    ...(kind === 'approval' ? [] : ['rounded']),
    ...(condition === undefined ? [] : ['dashed']),
    ...(environment === undefined ? [] : ['filled']),
  ];
  const shape = { step: '', approval: ', shape=hexagon', finally: ', shape=oval' }[kind];
  const fill = environment === undefined ? '' : ', fillcolor="#fff8c5"';
  return `${shape}${styles.join() === 'rounded' ? '' : `, style="${styles.join()}"`}${fill}`;
}

const labelOf = (node: GraphNode, lineEnd: string): string =>
  linesOf(node)
    .map((line) => line.replace(/["\\<>]/g, ' '))
    .join(lineEnd);
