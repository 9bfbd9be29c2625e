/** Tables and drawings of docs/benchmarks.md. */
import { readFileSync, writeFileSync } from 'node:fs';

export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

/** Replaces the text between two comments, which name the section. */
export function writeSection(file: string, name: string, content: string): void {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const text = readFileSync(file, 'utf8');
  const [before = '', rest = ''] = text.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`${file} has no section ${name}`);
  writeFileSync(file, `${before}${begin}\n\n${content}\n\n${end}${after}`);
}

export interface Line {
  name: string;
  points: readonly (readonly [count: number, value: number])[];
}

const SIZE = { width: 560, height: 280, left: 60, bottom: 40, top: 20, right: 130 };
const COLOURS = ['#0969da', '#1a7f37', '#bc4c00'];

/** Cost against size, with a logarithmic axis for the size. */
export function plot(title: string, unit: string, lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const most = Math.max(...all.map(([, value]) => value));
  const [from, to] = [Math.min, Math.max].map((pick) => Math.log10(pick(...all.map(([count]) => count))));
  const { width, height, left, bottom, top, right } = SIZE;
  const x = (count: number) =>
    left + ((Math.log10(count) - (from ?? 0)) / ((to ?? 1) - (from ?? 0))) * (width - left - right);
  const y = (value: number) => height - bottom - (value / most) * (height - bottom - top);
  const label = (atX: number, atY: number, text: string, anchor = 'middle') =>
    `<text x="${Math.round(atX)}" y="${Math.round(atY)}" text-anchor="${anchor}">${text}</text>`;
  const drawn = lines.flatMap(({ name, points }, index) => {
    const last = points.at(-1) ?? [1, 0];
    const places = points.map(([count, value]) => `${Math.round(x(count))},${Math.round(y(value))}`).join(' ');
    const colour = COLOURS[index % COLOURS.length];
    return [
      `<polyline points="${places}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      label(x(last[0]) + 6, y(last[1]) + 4, name, 'start'),
    ];
  });
  const counts = [...new Set(all.map(([count]) => count))];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<title>${title}</title><rect width="${width}" height="${height}" fill="white"/>`,
    `<path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="#57606a"/>`,
    ...counts.map((count) => label(x(count), height - bottom + 16, count.toLocaleString('en'))),
    ...[0, 0.5, 1].map((part) => label(left - 6, y(part * most) + 4, String(Math.round(part * most)), 'end')),
    label(left, 14, unit, 'start'),
    label((left + width - right) / 2, height - 6, 'steps'),
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}
