/** `join run`: runs a pipeline on this machine. The pipeline's inputs are its flags. */
import type { FlagInput } from '@oclif/core/interfaces';
import type { Pipeline } from '../../engine/pipeline/load.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import type { App } from '../compose.ts';
import { typedValues, withAbsolutePaths } from '../inputs/arguments.ts';
import { argsFor, flagsFor } from '../inputs/flags.ts';
import { kubeadmLine } from '../inputs/kubeadm-line.ts';
import { environmentsOf } from '../inputs/machine-config.ts';
import { mergeInputs, withProblems } from '../inputs/merge.ts';
import { pastedWords } from '../inputs/pasted.ts';
import { choosePipeline } from '../inputs/pipeline-choice.ts';
import { valuesOfFlag } from '../inputs/raw-flags.ts';
import { ownFlags, planFlags, savedFlags } from '../inputs/run-flags.ts';
import { namedBy, plainValues } from '../inputs/values.ts';
import { DEFAULT_PIPELINE, sourceOf } from '../pipelines.ts';
import { openWithPlugins } from '../plugins/open-with-plugins.ts';
import { RunningCommand } from '../running-command.ts';
import { isDetached } from '../runs/detached.ts';

type RunFlags = typeof ownFlags & Partial<typeof planFlags & typeof savedFlags>;

/** What the help of a command needs to know of its pipeline. */
export type DescribedPipeline = Pick<Pipeline, 'inputs' | 'metadata'>;

/** The help describes the pipeline `described`, and lists its flags. */
export function runCommand(app: App, described: DescribedPipeline = app.catalog.open(DEFAULT_PIPELINE)) {
  const { inputs } = described;
  const { summary, usage, description } = helpFor(described);
  const gates = app.registry.gates();
  return class Run extends RunningCommand {
    static override summary = summary;
    static override usage = usage;
    static override description = description;
    static override examples = [
      '<%= config.bin %> run 10.0.0.1:6443 --token … \\\n  --discovery-token-ca-cert-hash sha256:… --dry-run',
      '<%= config.bin %> run --control-plane --help',
    ];
    static override flags: FlagInput = { ...flagsFor(inputs, gates), ...ownFlags, ...savedFlags };
    static override args = argsFor(inputs);

    protected readonly isPlan: boolean = false;

    async run(): Promise<void> {
      if (!this.isPlan && this.argv.includes('--detach') && !isDetached()) return this.detach();
      const [savedPlan] = this.isPlan ? [] : valuesOfFlag('--plan', this.argv).slice(-1);
      if (savedPlan !== undefined) {
        const { savedRunRequest } = await import('./run-saved.ts');
        const line = { file: savedPlan, argv: this.argv };
        return this.execute(await savedRunRequest(app, line, (options) => this.parse(options)));
      }
      const words = pastedWords(this.argv);
      const { name, config, inputsOf } = await choosePipeline(words);
      const request = { name, environments: environmentsOf(this.argv, app.machineConfig), argv: this.argv };
      const pipelineFor = await openWithPlugins(app, request);
      const inputs = inputsOf(pipelineFor());
      const own: RunFlags = this.isPlan ? { ...ownFlags, ...planFlags } : { ...ownFlags, ...savedFlags };
      const options = { flags: { ...flagsFor(inputs, app.registry.gates()), ...own }, args: argsFor(inputs) };
      const { argv, off, notes: lineNotes } = kubeadmLine(words, options.flags);
      const { flags, args } = await this.parse(options, argv);
      const stdinReaders = config?.file === '-' ? ['--config'] : [];
      const typed = await typedValues(inputs, { flags, args, off, stdinReaders });
      const { values, dryRun, problems, notes } = await mergeInputs(inputs, {
        typed,
        config,
        machine: app.machineConfig,
      });
      const plain = withAbsolutePaths(inputs, plainValues(values), flags.root);
      await this.execute({
        dryRun:
          this.isPlan || flags['dry-run'] || dryRun
            ? {
                document: this.isPlan ? 'plan' : 'result',
                diff: flags.diff || !this.isPlan, // like kubeadm, whose dry run prints the files
                exitCode: flags['detailed-exitcode'] === true ? 'detailed' : 'plain',
                out: flags.out,
              }
            : undefined,
        onFailure: flags['on-failure'],
        root: flags.root,
        output: flags.output,
        trace: flags.trace,
        plan(host) {
          const pipeline = pipelineFor(host);
          const plan = withProblems(problems, () => planOf(pipeline, app.registry, plain, host, namedBy(values)));
          return { ...plan, notes: [...lineNotes, ...notes, ...plan.notes], source: sourceOf(pipeline, name) };
        },
      });
    }
  };
}

function helpFor({ inputs, metadata }: DescribedPipeline) {
  const { name, description: purpose = `Run the pipeline ${name}` } = metadata;
  const joins = inputs.properties.endpoint !== undefined;
  return {
    summary: name === DEFAULT_PIPELINE ? 'Join this machine to a cluster' : purpose,
    usage: joins ? 'run [ENDPOINT] [FLAGS]' : 'run [FLAGS]',
    description: [
      ...(joins ? ['Paste a `kubeadm join` line and replace `kubeadm join` with `join run`.'] : []),
      [
        'Each input of the pipeline can be a flag, a variable (JOINERY_TOKEN for --token) or a field of the --config',
        'file. Flags win over variables, variables over the file, and the file over /etc/joinery/config.yaml. @FILE',
        'reads a value from a file; - reads a token from standard input.',
      ].join(' '),
    ].join('\n\n'),
  };
}
