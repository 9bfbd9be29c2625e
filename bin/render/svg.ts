/** The order of the steps as SVG, laid out by dagre. Loaded only when needed. */
import { type Edge, Graph, layout } from '@dagrejs/dagre';
import { type GraphNode, linesOf } from './graph.ts';

const LETTER_PX = 8;
const LINE_PX = 18;
const PADDING_PX = 14;
const MARGIN_PX = 16;

export function svgText(name: string, steps: readonly GraphNode[]): string {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: 28, ranksep: 26, marginx: MARGIN_PX, marginy: MARGIN_PX });
  for (const step of steps) {
    const lines = linesOf(step);
    const width = Math.max(...lines.map((line) => line.length)) * LETTER_PX + 2 * PADDING_PX;
    graph.setNode(step.id, { width, height: lines.length * LINE_PX + PADDING_PX });
  }
  for (const { id, after } of steps) for (const before of after) graph.setEdge(before, id, {});
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const size = `${Math.ceil(width)}`;
  const tall = `${Math.ceil(height)}`;
  const finals = new Set(steps.flatMap(({ id, kind }) => (kind === 'finally' ? [id] : [])));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${tall}" viewBox="0 0 ${size} ${tall}" font-family="sans-serif" font-size="13">`,
    `<title>${escaped(name)}</title>`,
    STYLE,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
    '<rect class="page" width="100%" height="100%"/>',
    ...graph.edges().map((edge: Edge) => lineOf(graph.edge(edge).points, finals.has(edge.w) ? 'line last' : 'line')),
    ...steps.flatMap((step) => boxOf(step, graph.node(step.id))),
    '</svg>',
    '',
  ].join('\n');
}

/** Colours for a light and for a dark page. Each is more than a colour: the text of the box says the same. */
const STYLE = `<style>
.page{fill:#ffffff}.line{fill:none;stroke:#57606a;stroke-width:1.3;stroke-linejoin:round}.tip{fill:#57606a}
.last,.conditional{stroke-dasharray:5 3}.box{fill:#f6f8fa;stroke:#57606a}.id{fill:#1f2328}.about{fill:#57606a}
.approval{fill:#ddf4ff;stroke:#0969da}.environment{fill:#fff8c5;stroke:#9a6700}
.good{fill:#dafbe1;stroke:#1a7f37}.bad{fill:#ffebe9;stroke:#cf222e;stroke-width:2}
.warning{fill:#fff1e5;stroke:#bc4c00}.idle{fill:#ffffff;stroke:#8c959f}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.line{stroke:#8b949e}.tip{fill:#8b949e}
.box{fill:#161b22;stroke:#8b949e}.id{fill:#e6edf3}.about{fill:#9da7b1}
.approval{fill:#0c2d6b;stroke:#58a6ff}.environment{fill:#3b2e00;stroke:#d29922}
.good{fill:#0f2d1a;stroke:#3fb950}.bad{fill:#3d1416;stroke:#f85149}
.warning{fill:#3d2410;stroke:#db6d28}.idle{fill:#0d1117;stroke:#6e7681}}
</style>`;

const round = (px: number): string => String(Math.round(px * 10) / 10);

const lineOf = (points: readonly { x: number; y: number }[], look: string): string => {
  const path = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
  return `<path class="${look}" d="${path}" marker-end="url(#arrow)"/>`;
};

function boxOf(
  step: GraphNode,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): string[] {
  const lines = linesOf(step);
  const top = y - ((lines.length - 1) * LINE_PX) / 2;
  const corner = step.kind === 'finally' ? height / 2 : 6;
  return [
    `<rect class="${lookOf(step)}" x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${round(height)}" rx="${round(corner)}"/>`,
    ...lines.map(
      (line, index) =>
        `<text class="${index === 0 ? 'id' : 'about'}" x="${round(x)}" y="${round(top + index * LINE_PX)}" dy="0.35em" text-anchor="middle">${escaped(line)}</text>`,
    ),
  ];
}

function lookOf({ kind, environment, condition, outcome }: GraphNode): string {
  const looks = ['box'];
  if (outcome !== undefined)
    looks.push(outcome.colour); // the result of a step matters more than the environment that added it
  else if (environment !== undefined) looks.push('environment');
  else if (kind === 'approval') looks.push('approval');
  return (condition === undefined ? looks : [...looks, 'conditional']).join(' ');
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
