/** At build time: turns every schema and pipeline that ships into the source of a module. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { digestOf } from '../../engine/documents/digest.ts';
import { readDocument } from '../../engine/documents/read.ts';
import { ajvOptions } from '../../engine/documents/validate.ts';
import { hostListSchema, hostSchema } from '../../engine/fleet/hosts.ts';
import { schemas as kubeadmSchemas } from '../../engine/kubeadm/versions.ts';
import { extensionSchema } from '../../engine/pipeline/extension-schema.ts';
import { closedSchema } from '../../engine/pipeline/inputs.ts';
import type { Pipeline } from '../../engine/pipeline/load.ts';
import type { Registry } from '../../engine/pipeline/registry.ts';
import type { Schema } from '../../engine/sdk/index.ts';
import configSchema from '../../schemas/config.schema.json' with { type: 'json' };
import environmentSchema from '../../schemas/environment.schema.json' with { type: 'json' };
import fleetSchema from '../../schemas/fleet.schema.json' with { type: 'json' };
import journalSchema from '../../schemas/journal.schema.json' with { type: 'json' };
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' };
import pluginSchema from '../../schemas/plugin.schema.json' with { type: 'json' };
import { packageAssets } from '../assets.ts';
import { composeApp } from '../compose.ts';
import { DEFAULT_PIPELINE, type PipelineCatalog } from '../pipelines.ts';

export interface Sources {
  /** Replaces engine/documents/precompiled.ts. */
  main: string;
  /** The same, for the bundle of the commands of fleets. */
  fleet: string;
  /** An array of the validators that a join with the default pipeline does not use. */
  late: string;
}

/** `root` is the checkout. */
export async function validatorSources(root: string): Promise<Sources> {
  const { registry, catalog } = composeApp({ assets: packageAssets(root) });
  const standard = catalog.open(DEFAULT_PIPELINE);
  const { inputs, steps } = standard;
  const pipelines = await Promise.all(
    catalog.names('pipelines').map(async (name) => (await catalog.openOverlaid(name, []))()),
  );
  const joining = JSON.stringify(steps.map(({ uses }) => uses)); // a step may choose between phases
  const ofPhases = (isUsed: boolean) =>
    registry
      .all()
      .flatMap(({ name, input, output }) => (joining.includes(`"${name}"`) === isUsed ? [input, output] : []));
  const main = textsOf([closedSchema(inputs), ...ofPhases(true), ...literalSchemas(registry, [standard])]);
  const all = textsOf([
    configSchema,
    environmentSchema,
    extensionSchema,
    journalSchema,
    pipelineSchema,
    pluginSchema,
    ...Object.values(kubeadmSchemas),
    ...ofPhases(false),
    ...pipelines.map((pipeline) => closedSchema(pipeline.inputs)),
    ...literalSchemas(registry, pipelines),
  ]);
  const late = all.filter((text) => !main.includes(text));
  const lateEntries = late.map(
    (text, index) => `[${JSON.stringify(text)}, () => require('./late.cjs').validators()[${index}]()]`,
  );
  return {
    main: [
      `export const precompiledValidators = new Map([${[...entriesOf(main), ...lateEntries].join(',\n')}]);`,
      `export const precompiledPipelines = new Map([${pipelineEntries(root, catalog).join(',\n')}]);\n`,
    ].join('\n'),
    fleet: [
      `export const precompiledValidators = new Map([${entriesOf(textsOf([fleetSchema, hostSchema, hostListSchema])).join(',\n')}]);`,
      'export const precompiledPipelines = new Map();\n',
    ].join('\n'),
    late: `[${late.map(validatorFunction).join(',\n')}]`,
  };
}

const textsOf = (schemas: readonly object[]): string[] => [...new Set(schemas.map((schema) => JSON.stringify(schema)))];

const entriesOf = (texts: readonly string[]): string[] =>
  texts.map((text) => `[${JSON.stringify(text)}, ${validatorFunction(text)}]`);

/** Each validator is a function of its own, so that a command compiles only those that it uses. */
function validatorFunction(text: string): string {
  const ajv = new Ajv2020({ ...ajvOptions, code: { source: true } });
  const source = standaloneCode.default(ajv, ajv.compile(JSON.parse(text)));
  return `() => { const module = {}; ${source}\nreturn module.exports; }`;
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
