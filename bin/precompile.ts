/** At build time: the validators of every schema that ships, as the source of a module. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { closed } from '../engine/pipeline/plan.ts';
import { ajvOptions } from '../engine/pipeline/validate.ts';
import journalSchema from '../schemas/journal.schema.json' with { type: 'json' };
import pipelineSchema from '../schemas/pipeline.schema.json' with { type: 'json' };
import { registry } from './compose.ts';
import { DEFAULT_PIPELINE, openPipeline } from './pipelines.ts';

/** Stands in for engine/pipeline/precompiled.ts: `root` is the checkout. */
export function validatorsSource(root: string): string {
  const ajv = new Ajv2020({ ...ajvOptions, code: { source: true, esm: true } });
  const schemas = [
    pipelineSchema,
    journalSchema,
    closed(openPipeline(root, DEFAULT_PIPELINE).inputs),
    ...registry()
      .all()
      .flatMap(({ input, output }) => [input, output]),
  ];
  const texts = [...new Set(schemas.map((schema) => JSON.stringify(schema)))];
  texts.forEach((text, index) => {
    ajv.addSchema(JSON.parse(text), `shipped${index}`);
  });
  const names = Object.fromEntries(texts.map((_, index) => [`shipped${index}`, `shipped${index}`]));
  const entries = texts.map((text, index) => `[${JSON.stringify(text)}, shipped${index}]`);
  return `${standaloneCode.default(ajv, names)}\nexport const precompiled = new Map([${entries.join(',\n')}]);\n`;
}
