/** `join run`: runs a pipeline on this machine. Its flags are the pipeline's inputs. */
import { Flags } from '@oclif/core';
import { planOf } from '../../engine/pipeline/plan.ts';
import { JoinCommand } from '../command.ts';
import { registry } from '../compose.ts';
import { argsFor, envFlag, flagsFor, runFlags, typedFor, valuesOf } from '../flags.ts';
import { DEFAULT_PIPELINE, openLayered, openPipeline, sourceOf } from '../pipelines.ts';
import { usePlugins } from '../plugins/wanted.ts';

const ownFlags = {
  ...runFlags,
  pipeline: Flags.string({
    default: DEFAULT_PIPELINE,
    helpValue: 'NAME|FILE',
    description: 'What to run; its inputs are the flags of this command',
  }),
  env: envFlag,
};

/** `root` is the package's folder, where the shipped pipelines are. */
export function runCommand(root: string) {
  const shipped = openPipeline(root, DEFAULT_PIPELINE);
  return class Run extends JoinCommand {
    static override summary = 'Join this machine to a cluster';
    static override description = 'Paste a `kubeadm join` line with `kubeadm join` replaced by `join run`.';
    static override examples = [
      '<%= config.bin %> run 10.0.0.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:… --dry-run',
      '<%= config.bin %> run --pipeline ./mine.yaml --help',
    ];
    static override flags = { ...flagsFor(shipped.inputs), ...ownFlags };
    static override args = argsFor(shipped.inputs);

    async run(): Promise<void> {
      const [named = DEFAULT_PIPELINE] = typedFor('--pipeline', this.argv).slice(-1);
      const environments = typedFor('--env', this.argv);
      const isPlain = named === DEFAULT_PIPELINE && environments.length === 0;
      const layered = isPlain ? () => shipped : await openLayered(root, named, environments);
      const { inputs } = layered();
      await usePlugins({ root, argv: this.argv, pipeline: layered() });
      const { flags, args } = await this.parse({ flags: { ...flagsFor(inputs), ...ownFlags }, args: argsFor(inputs) });
      const values = valuesOf(inputs, flags, args);
      await this.execute({
        dryRun: flags['dry-run'],
        onFailure: flags['on-failure'],
        root: flags.root,
        output: flags.output,
        plan: (host) => {
          const pipeline = layered(host);
          const plan = planOf(pipeline, registry(), values, host);
          return { ...plan, source: sourceOf(pipeline, named) };
        },
      });
    }
  };
}
