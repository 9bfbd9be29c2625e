/** The schema of a pipeline that consists of another pipeline and changes of it. */
import environmentSchema from '../../schemas/environment.schema.json' with { type: 'json' };

const { apiVersion, metadata, inputs, patches } = environmentSchema.properties;

/** The changes have the forms that environments have. */
export const extensionSchema = {
  ...environmentSchema,
  $id: 'https://joinery.dev/schemas/pipeline-extension.schema.json',
  title: 'Joinery pipeline that extends another',
  description: 'Another pipeline with changes, in the forms that environments have.',
  required: ['apiVersion', 'kind', 'metadata', 'extends'],
  properties: {
    apiVersion,
    kind: { const: 'Pipeline' },
    metadata,
    extends: {
      description: 'Name of the other pipeline, or its file relative to this one.',
      type: 'string',
      minLength: 1,
      maxLength: 1000,
    },
    inputs,
    patches,
  },
};
