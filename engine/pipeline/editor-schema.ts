/** The schema of pipelines for editors: that of every pipeline, with the phases that there are, what they take, and what it is by default. */
import schema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import type { AnyPhase } from '../sdk/phase.ts';
import type { Schema } from '../sdk/schema.ts';

/** An expression may stand for any value. */
const HOLE = { type: 'string', pattern: '\\$\\{\\{', description: 'An expression, in CEL' };

/** `phases` are those that are installed. */
export function editorSchema(phases: readonly AnyPhase[]): object {
  const { step } = schema.$defs;
  const [, variants] = step.properties.uses.anyOf;
  const names = phases.map(({ name, summary }) => ({ const: name, description: summary }));
  return {
    ...schema,
    $id: 'https://joinery.dev/schemas/pipeline.editor.schema.json',
    title: 'Joinery pipeline, with its phases',
    $defs: {
      ...schema.$defs,
      phase: { description: 'An installed phase; join phase lists them.', oneOf: names },
      step: {
        ...step,
        properties: {
          ...step.properties,
          uses: {
            description: step.properties.uses.description,
            anyOf: [{ $ref: '#/$defs/phase' }, withPhaseNames(variants ?? {})],
          },
        },
        allOf: phases.map(({ name, summary, input }) => ({
          if: { required: ['uses'], properties: { uses: { const: name } } },
          // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
          then: { properties: { with: { description: summary, ...takenBy(input) } } },
        })),
      },
    },
  };
}

/** The list of variants, each of which names a phase. */
function withPhaseNames(variants: object): object {
  const text = JSON.stringify(variants);
  return JSON.parse(text.replace('"phase":{"type":"string"}', '"phase":{"$ref":"#/$defs/phase"}')) as object;
}

/** What a phase takes, each value as it is or by an expression. What it asks for may come of several, so only names are held to. */
function takenBy({ properties = {} }: Schema): object {
  const taken = Object.entries(properties).map(([name, { description, default: usual, ...rest }]) => [
    name,
    {
      ...(description === undefined ? {} : { description }),
      ...(usual === undefined ? {} : { default: usual }),
      anyOf: [rest, HOLE],
    },
  ]);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(taken) };
}
