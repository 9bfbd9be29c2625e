/** The order of the steps as SVG, laid out by dagre. Loaded only when needed. */
import { type Edge, Graph, layout } from '@dagrejs/dagre';
import type { GraphNode } from './graph.ts';

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
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${tall}" viewBox="0 0 ${size} ${tall}" ` +
      'font-family="sans-serif" font-size="13">',
    `<title>${escaped(name)}</title>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" ' +
      'orient="auto"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    ...graph.edges().map((edge: Edge) => lineOf(graph.edge(edge).points)),
    ...steps.flatMap((step) => boxOf(step, graph.node(step.id))),
    '</svg>',
    '',
  ].join('\n');
}

const linesOf = ({ id, phase }: GraphNode): string[] => (phase === id ? [id] : [id, phase]);
const round = (px: number): string => String(Math.round(px * 10) / 10);

const lineOf = (points: readonly { x: number; y: number }[]): string => {
  const path = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
  const stroke = 'stroke="#57606a" stroke-width="1.3" stroke-linejoin="round"';
  return `<path d="${path}" fill="none" ${stroke} marker-end="url(#arrow)"/>`;
};

function boxOf(
  step: GraphNode,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): string[] {
  const lines = linesOf(step);
  const top = y - ((lines.length - 1) * LINE_PX) / 2;
  return [
    `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" ` +
      `height="${round(height)}" rx="6" fill="#f6f8fa" stroke="#57606a"/>`,
    ...lines.map(
      (line, index) =>
        `<text x="${round(x)}" y="${round(top + index * LINE_PX)}" dy="0.35em" text-anchor="middle" ` +
        `fill="${index === 0 ? '#1f2328' : '#57606a'}">${escaped(line)}</text>`,
    ),
  ];
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
