/** The origin of values: text, and the document that schemas/pipeline-explanation.schema.json describes. */
import type { ExplainedValue, Origin } from '../../engine/environment/explain.ts';
import { clean, printable, valueText } from '../../engine/sdk/index.ts';

const originText = (origin: Origin): string => {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}:${origin.column}`;
  return origin.kind === 'default' ? `default of ${origin.of}` : origin.name;
};

const VALUE_MAX = 60;
const shortValue = (value: unknown): string => {
  const text = clean(valueText(value));
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX - 1)}…` : text;
};

/** One line for each value: its path, its origin, and the values that it overrides. */
export function explanationText(rows: readonly ExplainedValue[]): string {
  const lines = rows.map(({ path, value, origin, over }) => ({
    name: `${path.join('.')}:`,
    value: shortValue(value),
    from: [
      originText(origin),
      ...over.map((each) => `over ${shortValue(each.value)} (${originText(each.origin)})`),
    ].join(', '),
  }));
  const width = (column: 'name' | 'value', max: number) =>
    Math.min(max, Math.max(...lines.map((line) => line[column].length)));
  const [names, values] = [width('name', 50), width('value', 40)];
  return printable(
    lines.map(({ name, value, from }) => `${name.padEnd(names)} ${value.padEnd(values)}  ${from}`).join('\n'),
  );
}

export const explanationDocument = (pipeline: string, rows: readonly ExplainedValue[]): object => ({
  apiVersion: 'joinery.dev/v1',
  kind: 'PipelineExplanation',
  pipeline,
  values: rows.map(({ path, value, origin, over }) => ({ path, value, origin, over })),
});
