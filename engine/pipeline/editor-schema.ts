/** The pipeline schema for editors. It adds the installed phases, their inputs and the defaults of these. */
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import { defined } from '../sdk/fields.ts';
import type { AnyPhase } from '../sdk/phase.ts';
import type { Schema } from '../sdk/schema.ts';
import { extensionSchema } from './extension-schema.ts';

/** A placeholder can take the place of any value. */
const PLACEHOLDER = { type: 'string', pattern: '\\$\\{\\{', description: 'An expression, in CEL' };

/** `phases` are the installed phases. */
export function editorSchema(phases: readonly AnyPhase[]): object {
  const { $defs, ...pipeline } = pipelineSchema;
  const { $defs: changes, ...extension } = extensionSchema;
  const { step } = $defs;
  const [, variants] = step.properties.uses.anyOf;
  const names = phases.map(({ name, summary }) => ({ const: name, description: summary }));
  return {
    $schema: pipeline.$schema,
    $id: 'https://joinery.dev/schemas/pipeline.editor.schema.json',
    title: 'Joinery pipeline with the installed phases',
    if: { required: ['extends'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: withoutIds(extension),
    else: withoutIds(pipeline),
    $defs: {
      ...changes,
      ...$defs,
      phase: { description: 'An installed phase (join phase lists them)', oneOf: names },
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
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
          then: { properties: { with: { description: summary, ...inputsOf(input) } } },
        })),
      },
    },
  };
}

/** A schema within another has no name of its own: references start at the outer one. */
const withoutIds = ({ $schema: _, $id: __, ...rest }: Record<string, unknown>): object => rest;

/** The schema of a list of variants, in which each names an installed phase. */
function withPhaseNames(variants: object): object {
  const text = JSON.stringify(variants);
  return JSON.parse(text.replace('"phase":{"type":"string"}', '"phase":{"$ref":"#/$defs/phase"}')) as object;
}

/**
 * The inputs of a phase, each a value or a placeholder. Required inputs are not enforced, because variants may share
 * `with`.
 */
function inputsOf({ properties = {} }: Schema): object {
  const inputs = Object.entries(properties).map(([name, { description, default: value, ...rest }]) => [
    name,
    {
      ...defined({ description, default: value }),
      anyOf: [rest, PLACEHOLDER],
    },
  ]);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(inputs) };
}
