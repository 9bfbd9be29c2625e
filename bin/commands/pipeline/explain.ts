/** `join pipeline explain`: where every value of a pipeline comes from. */
import { Args, Flags } from '@oclif/core';
import type { Given } from '../../../engine/environment/explain.ts';
import { checkedPipeline } from '../../../engine/pipeline/check.ts';
import { GATES_INPUT, plannedGates } from '../../../engine/pipeline/gates.ts';
import { hostDefault, lookUp } from '../../../engine/pipeline/plan.ts';
import { didYouMean, fail, revealed } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { openRun, registry } from '../../compose.ts';
import { envFlag, flagsFor, runFlags, typedFor, typedValues } from '../../flags.ts';
import { givenFor } from '../../given.ts';
import { DEFAULT_PIPELINE, openTracked } from '../../pipelines.ts';
import { usePlugins } from '../../plugins/wanted.ts';
import { jsonText } from '../../render/json.ts';
import { plainValues, sourceText, type Value } from '../../values.ts';

const ownFlags = {
  pipeline: Flags.string({ default: DEFAULT_PIPELINE, helpValue: 'NAME|FILE', description: 'What to explain' }),
  env: envFlag,
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
    const { inputs } = plain;
    await usePlugins({ root: this.config.root, argv: this.argv, pipeline: plain });
    const options = { args: PipelineExplain.args, flags: { ...flagsFor(inputs), ...ownFlags } };
    const { args, flags } = await this.parse(options);
    const { values: given } = await givenFor(inputs, await typedValues(inputs, flags, {}), undefined);
    const typed = plainValues(given);
    const scope = await openRun({ root: flags.root });
    await scope.close();
    const { facts } = scope.host;
    const { pipeline, tracked } = opened.resolveFor(facts);
    const names = Object.keys(pipeline.inputs.properties);
    const defaults = Object.fromEntries(names.map((input) => [input, hostDefault(pipeline, input, facts)]));
    const values = { ...defaults, ...typed };
    const known = { inputs: values, host: facts, gates: plannedGates(registry(), values[GATES_INPUT]).gates };
    const { explained } = await import('../../../engine/environment/explain.ts');
    const rows = explained({
      tracked,
      inputs: pipeline.inputs.properties,
      steps: checkedPipeline(pipeline, registry(), () => (reference) => lookUp(known, undefined, reference)).steps,
      given: Object.fromEntries(Object.entries(given).map(([input, value]) => [input, explainedValue(input, value)])),
      defaults,
    });
    const path = args.path?.split('.') ?? [];
    const wanted = rows.filter((row) =>
      path.length === 0
        ? !['apiVersion', 'kind', 'metadata', 'inputs'].includes(row.path[0] ?? '')
        : isBelow(row.path, path),
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

const explainedValue = (input: string, { value, source }: Value): Given => ({
  value: revealed(value),
  origin: { kind: source.kind === 'variable' ? 'variable' : 'flag', name: sourceText(source, input) },
});

const isBelow = (path: readonly string[], above: readonly string[]): boolean =>
  above.every((part, index) => part === path[index]);

/** With the nearest name at the first part that there is not. */
function nothingAt(path: readonly string[], all: readonly (readonly string[])[]): string {
  const depth = path.findIndex((_, index) => !all.some((each) => isBelow(each, path.slice(0, index + 1))));
  const beside = all.filter((each) => isBelow(each, path.slice(0, depth))).map((each) => each[depth] ?? '');
  return `there is nothing at ${path.slice(0, depth + 1).join('.')}${didYouMean(path[depth] ?? '', [...new Set(beside)])}`;
}
