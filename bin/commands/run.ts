/** `join run`: runs a pipeline on this machine. The pipeline's inputs are its flags. */
import { Flags } from '@oclif/core';
import { planOf } from '../../engine/pipeline/plan.ts';
import { JoinCommand } from '../command.ts';
import type { App } from '../compose.ts';
import { typedValues, withAbsolutePaths } from '../inputs/arguments.ts';
import { envFlag, runFlags } from '../inputs/common-flags.ts';
import { lenientFlag } from '../inputs/config-documents.ts';
import { argsFor, flagsFor } from '../inputs/flags.ts';
import { kubeadmLine } from '../inputs/kubeadm-line.ts';
import { mergeInputs, withProblems } from '../inputs/merge.ts';
import { pastedWords } from '../inputs/pasted.ts';
import { valuesOfFlag } from '../inputs/raw-flags.ts';
import { namedBy, plainValues } from '../inputs/values.ts';
import { DEFAULT_PIPELINE, sourceOf } from '../pipelines.ts';
import { openWithPlugins } from '../plugins/open-with-plugins.ts';

const ownFlags = {
  ...runFlags,
  config: Flags.string({
    default: '',
    helpValue: 'FILE|-',
    description: 'kubeadm configuration file of any version (docs/configuration.md lists the flags it combines with)',
  }),
  lenient: lenientFlag,
  pipeline: Flags.string({
    default: DEFAULT_PIPELINE,
    helpValue: 'NAME|FILE',
    description: `Pipeline to run; its inputs become flags (default ${DEFAULT_PIPELINE})`,
  }),
  env: envFlag,
  v: Flags.integer({ char: 'v', default: 0, description: 'Verbosity; 5 and above print the full error chain' }),
};

/** Only `join plan` has these. */
export const planFlags = {
  'detailed-exitcode': Flags.boolean({
    description: 'Exit with 0 if there is nothing to do, 2 if there are changes, and 1 or more on errors',
  }),
};

export function runCommand(app: App) {
  const shipped = app.catalog.open(DEFAULT_PIPELINE);
  const gates = app.registry.gates();
  return class Run extends JoinCommand {
    static override summary = 'Join this machine to a cluster';
    static override usage = 'run [ENDPOINT] [FLAGS]';
    static override description = [
      'Paste a `kubeadm join` line and replace `kubeadm join` with `join run`.',
      [
        'Each input of the pipeline can be a flag, a variable (JOINERY_TOKEN for --token) or a field of the --config',
        'file. Flags win over variables, and variables over the file. @FILE reads a value from a file; - reads a token',
        'from standard input.',
      ].join(' '),
    ].join('\n\n');
    static override examples = [
      '<%= config.bin %> run 10.0.0.1:6443 --token … --discovery-token-ca-cert-hash sha256:… --dry-run',
      '<%= config.bin %> run --pipeline ./mine.yaml --help',
    ];
    static override flags = { ...flagsFor(shipped.inputs, gates), ...ownFlags };
    static override args = argsFor(shipped.inputs);

    protected readonly isPlan: boolean = false;

    async run(): Promise<void> {
      const [name = DEFAULT_PIPELINE] = valuesOfFlag('--pipeline', this.argv).slice(-1);
      const environments = valuesOfFlag('--env', this.argv);
      const pipelineFor = await openWithPlugins(app, { name, environments, argv: this.argv });
      const { inputs } = pipelineFor();
      const own: typeof ownFlags & Partial<typeof planFlags> = this.isPlan ? { ...ownFlags, ...planFlags } : ownFlags;
      const options = { flags: { ...flagsFor(inputs, app.registry.gates()), ...own }, args: argsFor(inputs) };
      const { argv, off } = kubeadmLine(pastedWords(this.argv), options.flags);
      const { flags, args } = await this.parse(options, argv);
      this.verbosity = flags.v;
      const stdinReaders = flags.config === '-' ? ['--config'] : [];
      const typed = await typedValues(inputs, { flags, args, off, stdinReaders });
      const config = flags.config === '' ? undefined : { file: flags.config, lenient: flags.lenient };
      const { values, dryRun, problems, notes } = await mergeInputs(inputs, typed, config);
      const plain = withAbsolutePaths(inputs, plainValues(values), flags.root);
      const isDryRun = this.isPlan || flags['dry-run'] || dryRun;
      await this.execute({
        dryRun: isDryRun
          ? {
              document: this.isPlan ? 'plan' : 'result',
              diff: flags.diff,
              exitCode: flags['detailed-exitcode'] === true ? 'detailed' : 'plain',
            }
          : undefined,
        onFailure: flags['on-failure'],
        root: flags.root,
        output: flags.output,
        plan(host) {
          const pipeline = pipelineFor(host);
          const plan = withProblems(problems, () => planOf(pipeline, app.registry, plain, host, namedBy(values)));
          return { ...plan, notes: [...notes, ...plan.notes], source: sourceOf(pipeline, name) };
        },
      });
    }
  };
}
