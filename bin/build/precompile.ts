/** At build time: the validators of every schema that ships, and every pipeline, as the source of a module. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { digestOf } from '../../engine/documents/digest.ts';
import { ajvOptions } from '../../engine/documents/validate.ts';
import { schemas as kubeadmSchemas } from '../../engine/kubeadm/versions.ts';
import { closed } from '../../engine/pipeline/plan.ts';
import { parseYaml } from '../../engine/sdk/index.ts';
import environmentSchema from '../../schemas/environment.schema.json' with { type: 'json' };
import journalSchema from '../../schemas/journal.schema.json' with { type: 'json' };
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import pluginSchema from '../../schemas/plugin.schema.json' with { type: 'json' };
import { registry } from '../compose.ts';
import { DEFAULT_PIPELINE, openPipeline, shippedNames } from '../pipelines.ts';

/** Stands in for engine/documents/precompiled.ts: `root` is the checkout. */
export function validatorsSource(root: string): string {
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
  return [
    `export const precompiled = new Map([${entries.join(',\n')}]);`,
    `export const readPipelines = new Map([${pipelineEntries(root).join(',\n')}]);\n`,
  ].join('\n');
}

/** As JSON in a function: each reader gets values of its own. */
function pipelineEntries(root: string): string[] {
  return shippedNames(root, 'pipelines').map((name) => {
    const text = readFileSync(join(root, 'pipelines', `${name}.yaml`), 'utf8');
    return `[${JSON.stringify(digestOf(text))}, () => (${JSON.stringify(parseYaml(text))})]`;
  });
}
