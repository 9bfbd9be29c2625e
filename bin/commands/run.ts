/** `join run`: runs a pipeline on this machine. Its flags are the pipeline's inputs. */
import { Flags } from '@oclif/core';
import { planOf } from '../../engine/pipeline/plan.ts';
import { JoinCommand } from '../command.ts';
import { registry } from '../compose.ts';
import { lenientFlag } from '../inputs/config-documents.ts';
import { argsFor, envFlag, flagsFor, runFlags, typedFor, typedValues, withAbsolutePaths } from '../inputs/flags.ts';
import { kubeadmLine } from '../inputs/kubeadm-line.ts';
import { givenFor, withProblems } from '../inputs/merge.ts';
import { namedBy, plainValues } from '../inputs/values.ts';
import { DEFAULT_PIPELINE, isFile, openLayered, openPipeline, sourceOf } from '../pipelines.ts';
import { usePlugins } from '../plugins/discover.ts';

const ownFlags = {
  ...runFlags,
  config: Flags.string({
    default: '',
    helpValue: 'FILE|-',
    description:
      'kubeadm configuration file, of any version; see docs/configuration.md for the flags that may stand beside it',
  }),
  lenient: lenientFlag,
  pipeline: Flags.string({
    default: DEFAULT_PIPELINE,
    helpValue: 'NAME|FILE',
    description: 'What to run; its inputs are the flags of this command',
  }),
  env: envFlag,
  v: Flags.integer({ char: 'v', default: 0, description: 'From 5 on, an error is shown with all that it came from' }),
};

/** `root` is the package's folder, where the shipped pipelines are. */
export function runCommand(root: string) {
  const shipped = openPipeline(root, DEFAULT_PIPELINE);
  return class Run extends JoinCommand {
    static override summary = 'Join this machine to a cluster';
    static override usage = 'run [ENDPOINT] [FLAGS]';
    static override description = [
      'Paste a `kubeadm join` line with `kubeadm join` replaced by `join run`.',
      '',
      'What is given for the pipeline may also stand in a variable (JOINERY_TOKEN for --token) or in the file of --config; a flag',
      'wins over a variable, and that over the file. A value @FILE is read from that file, and a token - from standard input.',
    ].join('\n');
    static override examples = [
      '<%= config.bin %> run 10.0.0.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:… --dry-run',
      '<%= config.bin %> run --pipeline ./mine.yaml --help',
    ];
    static override flags = { ...flagsFor(shipped.inputs), ...ownFlags };
    static override args = argsFor(shipped.inputs);

    protected readonly isPlan: boolean = false;

    async run(): Promise<void> {
      const [named = DEFAULT_PIPELINE] = typedFor('--pipeline', this.argv).slice(-1);
      const environments = typedFor('--env', this.argv);
      const mayBeTheirs = [named, ...environments].some((name) => !isFile(name) && name !== DEFAULT_PIPELINE);
      if (mayBeTheirs) await usePlugins({ root, argv: this.argv });
      const isPlain = named === DEFAULT_PIPELINE && environments.length === 0;
      const layered = isPlain ? () => shipped : await openLayered(root, named, environments);
      const { inputs } = layered();
      await usePlugins({ root, argv: this.argv, pipeline: layered() });
      const taken = { flags: { ...flagsFor(inputs), ...ownFlags }, args: argsFor(inputs) };
      const { argv, off } = kubeadmLine(this.argv, taken.flags);
      const { flags, args } = await this.parse(taken, argv);
      this.verbosity = flags.v;
      const takesStdin = flags.config === '-' ? ['--config'] : [];
      const typed = await typedValues(inputs, flags, args, { off, takesStdin });
      const config = flags.config === '' ? undefined : { file: flags.config, lenient: flags.lenient };
      const { values, dryRun, problems, notes } = await givenFor(inputs, typed, config);
      const given = withAbsolutePaths(inputs, plainValues(values), flags.root);
      await this.execute({
        dryRun: this.isPlan || flags['dry-run'] || dryRun,
        asPlan: this.isPlan,
        onFailure: flags['on-failure'],
        root: flags.root,
        output: flags.output,
        plan: (host) => {
          const pipeline = layered(host);
          const plan = withProblems(problems, () => planOf(pipeline, registry(), given, host, namedBy(values)));
          return { ...plan, notes: [...notes, ...plan.notes], source: sourceOf(pipeline, named) };
        },
      });
    }
  };
}
