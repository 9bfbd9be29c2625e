/** `join pipeline explain`: where every value of a pipeline comes from. */
import { Args, Flags } from '@oclif/core';
import { type Explaining, fileOf, type Origin } from '../../../engine/environment/explain.ts';
import { checkedPipeline } from '../../../engine/pipeline/check.ts';
import { GATES_INPUT, plannedGates } from '../../../engine/pipeline/gates.ts';
import type { Pipeline } from '../../../engine/pipeline/load.ts';
import { hostDefault, lookUp } from '../../../engine/pipeline/plan.ts';
import { didYouMean, fail, type HostFacts, revealSecrets } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { openRun, registry } from '../../compose.ts';
import { lenientFlag } from '../../inputs/config-documents.ts';
import { envFlag, flagsFor, runFlags, typedFor, typedValues } from '../../inputs/flags.ts';
import { givenFor } from '../../inputs/merge.ts';
import { plainValues, type Source, sourceText, type Values } from '../../inputs/values.ts';
import { DEFAULT_PIPELINE, openTracked } from '../../pipelines.ts';
import { usePlugins } from '../../plugins/discover.ts';
import { jsonText } from '../../render/json.ts';

const ownFlags = {
  pipeline: Flags.string({ default: DEFAULT_PIPELINE, helpValue: 'NAME|FILE', description: 'What to explain' }),
  env: envFlag,
  config: Flags.string({ helpValue: 'FILE|-', description: 'kubeadm configuration file, as join run takes it' }),
  lenient: lenientFlag,
  plugin: runFlags.plugin,
  root: runFlags.root,
  output: runFlags.output,
};

export class PipelineExplain extends JoinCommand {
  static override summary = 'Show where every value of a pipeline comes from, and what it took the place of';
  static override description =
    "Takes the pipeline's inputs as flags too, as join run does. Without a path it shows values, defaults and steps.";
  static override examples = [
    '<%= config.bin %> pipeline explain --env bare-metal steps.node-ready.timeout',
    '<%= config.bin %> pipeline explain --env ./site.yaml values',
  ];
  static override args = { path: Args.string({ description: 'A value, or what is below it: steps.node-ready' }) };
  static override flags = ownFlags;

  async run(): Promise<void> {
    const [name = DEFAULT_PIPELINE] = typedFor('--pipeline', this.argv).slice(-1);
    const opened = await openTracked(this.config.root, name, typedFor('--env', this.argv));
    const plain = opened.resolve().pipeline;
    await usePlugins({ root: this.config.root, argv: this.argv, pipeline: plain });
    const options = { args: PipelineExplain.args, flags: { ...flagsFor(plain.inputs), ...ownFlags } };
    const { args, flags } = await this.parse(options);
    const config = flags.config === undefined ? undefined : { file: flags.config, lenient: flags.lenient };
    const { values } = await givenFor(plain.inputs, await typedValues(plain.inputs, flags, {}), config);
    const scope = await openRun({ root: flags.root });
    await scope.close();
    const { pipeline, tracked } = opened.resolveFor(scope.host.facts);
    const { explained } = await import('../../../engine/environment/explain.ts');
    const rows = explained({ tracked, ...explaining(pipeline, values, scope.host.facts) });
    const path = args.path?.split('.') ?? [];
    const wanted = rows.filter((row) =>
      path.length === 0 ? !UNASKED.includes(row.path[0] ?? '') : isBelow(row.path, path),
    );
    if (wanted.length === 0)
      throw fail('E_INPUT', {
        problems: [
          nothingAt(
            path,
            rows.map((row) => row.path),
          ),
        ],
      });
    const { explanationDocument, explanationText } = await import('../../render/explain.ts');
    this.log(
      flags.output === 'json'
        ? jsonText(explanationDocument(pipeline.metadata.name, path.length === 0 ? rows : wanted))
        : explanationText(wanted),
    );
  }
}

/** Shown as text to who asks for it: that a pipeline is one, and what its inputs may be. */
const UNASKED: readonly string[] = ['apiVersion', 'kind', 'metadata', 'inputs'];

/** What is known of a run that was given `values`. */
function explaining(pipeline: Pipeline, values: Values, host: HostFacts): Omit<Explaining, 'tracked'> {
  const { properties } = pipeline.inputs;
  const defaults = Object.fromEntries(
    Object.keys(properties).map((input) => [input, hostDefault(pipeline, input, host)]),
  );
  const inputs = { ...defaults, ...plainValues(values) };
  const known = { inputs, host, gates: plannedGates(registry(), inputs[GATES_INPUT]).gates };
  const { steps, finally: last } = checkedPipeline(
    pipeline,
    registry(),
    () => (reference) => lookUp(known, undefined, reference),
  );
  const given = Object.entries(values).map(([input, { value, source }]) => [
    input,
    { value: revealSecrets(value), origin: originOf(source, input) },
  ]);
  return { inputs: properties, steps, finally: last?.steps ?? [], given: Object.fromEntries(given), defaults };
}

function originOf(source: Source, input: string): Origin {
  if (source.kind === 'config') return fileOf(source.place);
  return { kind: source.kind === 'variable' ? 'variable' : 'flag', name: sourceText(source, input) };
}

const isBelow = (path: readonly string[], above: readonly string[]): boolean =>
  above.every((part, index) => part === path[index]);

/** With the nearest name at the first part that there is not. */
function nothingAt(path: readonly string[], all: readonly (readonly string[])[]): string {
  const depth = path.findIndex((_, index) => !all.some((each) => isBelow(each, path.slice(0, index + 1))));
  const beside = all.filter((each) => isBelow(each, path.slice(0, depth))).map((each) => each[depth] ?? '');
  return `there is nothing at ${path.slice(0, depth + 1).join('.')}${didYouMean(path[depth] ?? '', [...new Set(beside)])}`;
}
