/** At build time: turns every schema and pipeline that ships into the source of a module. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { digestOf } from '../../engine/documents/digest.ts';
import { readDocument } from '../../engine/documents/read.ts';
import { ajvOptions } from '../../engine/documents/validate.ts';
import { schemas as kubeadmSchemas } from '../../engine/kubeadm/versions.ts';
import { extensionSchema } from '../../engine/pipeline/extension-schema.ts';
import { closedSchema } from '../../engine/pipeline/inputs.ts';
import type { Pipeline } from '../../engine/pipeline/load.ts';
import type { Registry } from '../../engine/pipeline/registry.ts';
import type { Schema } from '../../engine/sdk/index.ts';
import environmentSchema from '../../schemas/environment.schema.json' with { type: 'json' };
import journalSchema from '../../schemas/journal.schema.json' with { type: 'json' };
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import pluginSchema from '../../schemas/plugin.schema.json' with { type: 'json' };
import { packageAssets } from '../assets.ts';
import { composeApp } from '../compose.ts';
import type { PipelineCatalog } from '../pipelines.ts';

/** The source that replaces engine/documents/precompiled.ts; `root` is the checkout. */
export async function validatorsSource(root: string): Promise<string> {
  const { registry, catalog } = composeApp({ assets: packageAssets(root) });
  const pipelines = await Promise.all(
    catalog.names('pipelines').map(async (name) => (await catalog.openOverlaid(name, []))()),
  );
  const ajv = new Ajv2020({ ...ajvOptions, code: { source: true } });
  const schemas = [
    pipelineSchema,
    extensionSchema,
    environmentSchema,
    journalSchema,
    pluginSchema,
    ...Object.values(kubeadmSchemas),
    ...pipelines.map(({ inputs }) => closedSchema(inputs)),
    ...registry.all().flatMap(({ input, output }) => [input, output]),
    ...literalSchemas(registry, pipelines),
  ];
  const texts = new Set(schemas.map((schema) => JSON.stringify(schema)));
  // Each is a function of its own, so that a command compiles only those that it uses.
  const entries = [...texts].map((text) => {
    const source = standaloneCode.default(ajv, ajv.compile(JSON.parse(text)));
    return `[${JSON.stringify(text)}, () => { const module = {}; ${source}\nreturn module.exports; }]`;
  });
  return [
    `export const precompiledValidators = new Map([${entries.join(',\n')}]);`,
    `export const precompiledPipelines = new Map([${pipelineEntries(root, catalog).join(',\n')}]);\n`,
  ].join('\n');
}

/** The check of a pipeline validates each literal value by the schema of its input. */
function literalSchemas(registry: Registry, pipelines: readonly Pipeline[]): Schema[] {
  const steps = pipelines.flatMap(({ steps }) => steps);
  const names = new Set(
    steps.flatMap((step) => Object.entries(step.with ?? {}).flatMap(([name, value]) => (isLiteral(value) ? name : []))),
  );
  return registry
    .all()
    .flatMap(({ input }) => Object.entries(input.properties ?? {}))
    .flatMap(([name, schema]) => (names.has(name) ? schema : []));
}

const isLiteral = (value: unknown): boolean => !JSON.stringify(value).includes('${{');

/** A function for each pipeline that extends no other, so that each caller gets its own copy. */
function pipelineEntries(root: string, catalog: PipelineCatalog): string[] {
  const names = catalog.names('pipelines').filter((name) => !catalog.extends(name));
  return names.map((name) => {
    const text = readFileSync(join(root, 'pipelines', `${name}.yaml`), 'utf8');
    return `[${JSON.stringify(digestOf(text))}, () => (${JSON.stringify(readDocument(name, text).value)})]`;
  });
}
