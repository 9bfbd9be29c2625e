/** `join pipeline explain`: shows the origin of every value of a pipeline. */
import { Args, Flags } from '@oclif/core';
import {
  type ExplainedValue,
  type ExplainOptions,
  fileOrigin,
  type Origin,
} from '../../../engine/environment/explain.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { GATES_INPUT, planGates } from '../../../engine/pipeline/gates.ts';
import { hostDefault } from '../../../engine/pipeline/inputs.ts';
import type { Pipeline } from '../../../engine/pipeline/load.ts';
import type { Registry } from '../../../engine/pipeline/registry.ts';
import { lookUp } from '../../../engine/pipeline/values.ts';
import { didYouMean, fail, type HostFacts, revealSecrets } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { typedValues } from '../../inputs/arguments.ts';
import { envFlag, outputFlag, runFlags } from '../../inputs/common-flags.ts';
import { lenientFlag } from '../../inputs/config-documents.ts';
import { flagsFor } from '../../inputs/flags.ts';
import { environmentsOf } from '../../inputs/machine-config.ts';
import { mergeInputs } from '../../inputs/merge.ts';
import { choosePipeline } from '../../inputs/pipeline-choice.ts';
import { ownFlags as ownRunFlags } from '../../inputs/run-flags.ts';
import { type MachineConfig, plainValues, type Source, sourceText, type Values } from '../../inputs/values.ts';
import { DEFAULT_PIPELINE } from '../../pipelines.ts';
import { openTrackedWithPlugins } from '../../plugins/open-with-plugins.ts';

const ownFlags = {
  pipeline: Flags.string({
    default: DEFAULT_PIPELINE,
    helpValue: 'NAME|FILE',
    description: `Pipeline to explain (default ${DEFAULT_PIPELINE})`,
  }),
  'control-plane': ownRunFlags['control-plane'],
  env: envFlag,
  config: Flags.string({ helpValue: 'FILE|-', description: 'kubeadm configuration file, as for join run' }),
  lenient: lenientFlag,
  plugin: runFlags.plugin,
  root: runFlags.root,
  output: outputFlag,
};

export class PipelineExplain extends JoinCommand {
  static override summary = 'Show the origin of every value of a pipeline, and what it overrides';
  static override description =
    "Also takes the pipeline's inputs as flags, like join run. Without PATH, shows values, defaults and steps.";
  static override examples = [
    '<%= config.bin %> pipeline explain --env bare-metal steps.node-ready.timeout',
    '<%= config.bin %> pipeline explain --env ./site.yaml values',
  ];
  static override args = { path: Args.string({ description: 'Path of a value or of a group: steps.node-ready' }) };
  static override flags = ownFlags;

  async run(): Promise<void> {
    const { registry, machineConfig: machine } = this.app;
    const { name, config, inputsOf } = await choosePipeline(this.argv);
    const request = { name, environments: environmentsOf(this.argv, machine), argv: this.argv };
    const opened = await openTrackedWithPlugins(this.app, request);
    const inputs = inputsOf(opened.resolve().pipeline);
    const options = { args: PipelineExplain.args, flags: { ...flagsFor(inputs, registry.gates()), ...ownFlags } };
    const { args, flags } = await this.parse(options);
    const { values } = await mergeInputs(inputs, { typed: await typedValues(inputs, { flags }), config, machine });
    const { host, close } = await this.app.openMachine({ root: flags.root });
    await close();
    const { pipeline, tracked } = opened.resolveFor(host.facts);
    const { explainPipeline } = await import('../../../engine/environment/explain.ts');
    const rows = [
      ...(flags.env === undefined ? environmentRows(machine) : []),
      ...explainPipeline({ tracked, ...plannedValues({ pipeline, registry, values, host: host.facts }) }),
    ];
    const path = args.path?.split('.') ?? [];
    const selected = rowsAt(path, rows);
    const { explanationDocument, explanationText } = await import('../../render/explain.ts');
    if (flags.output === 'text') return this.log(explanationText(selected));
    await this.print(explanationDocument(pipeline.metadata.name, path.length === 0 ? rows : selected), flags.output);
  }
}

/** Shown as text only on request. */
const BOILERPLATE: readonly string[] = ['apiVersion', 'kind', 'metadata', 'inputs'];

/** The environments that the configuration of the machine lists. */
const environmentRows = ({ environments }: MachineConfig): ExplainedValue[] =>
  environments.map(({ name, source }, index) => ({
    path: ['environments', String(index)],
    value: name,
    origin: originOf(source, name),
    over: [],
  }));

/** E_INPUT if there is nothing at `path`. */
function rowsAt(path: readonly string[], rows: readonly ExplainedValue[]): readonly ExplainedValue[] {
  if (path.length === 0) return rows.filter((row) => !BOILERPLATE.includes(row.path[0] ?? ''));
  const selected = rows.filter((row) => isBelow(row.path, path));
  if (selected.length > 0) return selected;
  const paths = rows.map((row) => row.path);
  throw fail('E_INPUT', { problems: [unknownPath(path, paths)] });
}

interface Explanation {
  pipeline: Pipeline;
  registry: Registry;
  values: Values;
  host: HostFacts;
}

/** What a plan with these values contains. */
function plannedValues({ pipeline, registry, values, host }: Explanation): Omit<ExplainOptions, 'tracked'> {
  const { properties } = pipeline.inputs;
  const defaults = Object.fromEntries(
    Object.keys(properties).map((input) => [input, hostDefault(pipeline, input, host)]),
  );
  const inputs = { ...defaults, ...plainValues(values) };
  const known = { inputs, host, gates: planGates(registry, inputs[GATES_INPUT]).gates };
  const { steps, finally: last } = checkPipeline(
    pipeline,
    registry,
    () => (reference) => lookUp(known, undefined, reference),
  );
  const given = Object.entries(values).map(([input, { value, source }]) => [
    input,
    { value: revealSecrets(value), origin: originOf(source, input) },
  ]);
  return { inputs: properties, steps, finally: last?.steps ?? [], values: Object.fromEntries(given), defaults };
}

function originOf(source: Source, input: string): Origin {
  if (source.kind === 'config') return fileOrigin(source.place);
  return { kind: source.kind === 'variable' ? 'variable' : 'flag', name: sourceText(source, input) };
}

const isBelow = (path: readonly string[], above: readonly string[]): boolean =>
  above.every((part, index) => part === path[index]);

/** Suggests the nearest name for the first part that does not exist. */
function unknownPath(path: readonly string[], all: readonly (readonly string[])[]): string {
  const depth = path.findIndex((_, index) => !all.some((each) => isBelow(each, path.slice(0, index + 1))));
  const siblings = all.filter((each) => isBelow(each, path.slice(0, depth))).map((each) => each[depth] ?? '');
  const suggestion = didYouMean(path[depth] ?? '', [...new Set(siblings)]);
  return `there is nothing at ${path.slice(0, depth + 1).join('.')}${suggestion}`;
}
