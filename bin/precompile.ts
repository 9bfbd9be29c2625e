/** At build time: the validators of every schema that ships, and the pipelines as they are read, as the source of a module. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { schemas as kubeadmSchemas } from '../engine/kubeadm/versions.ts';
import { digestOf } from '../engine/pipeline/load.ts';
import { closed } from '../engine/pipeline/plan.ts';
import { ajvOptions } from '../engine/pipeline/validate.ts';
import { parseYaml } from '../engine/sdk/index.ts';
import environmentSchema from '../schemas/environment.schema.json' with { type: 'json' };
import journalSchema from '../schemas/journal.schema.json' with { type: 'json' };
import pipelineSchema from '../schemas/pipeline.schema.json' with { type: 'json' };
import pluginSchema from '../schemas/plugin.schema.json' with { type: 'json' };
import { registry } from './compose.ts';
import { DEFAULT_PIPELINE, openPipeline, readShipped, shippedNames } from './pipelines.ts';

/** Stands in for engine/pipeline/precompiled.ts: `root` is the checkout. */
export const precompiledSource = (root: string): string => `${validatorsSource(root)}${pipelinesSource(root)}`;

/** To read the YAML of the default pipeline takes longer than all else that is done with it. */
function pipelinesSource(root: string): string {
  const texts = shippedNames(root, 'pipelines').map((name) => readShipped(root, 'pipelines', name).text);
  const entries = texts.map((text) => [digestOf(text), JSON.stringify(parseYaml(text))]);
  return `export const parsedPipelines = new Map(${JSON.stringify(entries)});\n`;
}

function validatorsSource(root: string): string {
  const ajv = new Ajv2020({ ...ajvOptions, code: { source: true } });
  const schemas = [
    pipelineSchema,
    environmentSchema,
    journalSchema,
    pluginSchema,
    ...Object.values(kubeadmSchemas),
    closed(openPipeline(root, DEFAULT_PIPELINE).inputs),
    ...registry()
      .all()
      .flatMap(({ input, output }) => [input, output]),
  ];
  const texts = new Set(schemas.map((schema) => JSON.stringify(schema)));
  // Each is a module of its own, so that a command pays for the few it makes use of.
  const entries = [...texts].map((text) => {
    const source = standaloneCode.default(ajv, ajv.compile(JSON.parse(text)));
    return `[${JSON.stringify(text)}, () => { const module = {}; ${source}\nreturn module.exports; }]`;
  });
  return `export const precompiled = new Map([${entries.join(',\n')}]);\n`;
}
