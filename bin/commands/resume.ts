/** `join resume`: resumes an interrupted or failed run. */
import { Args } from '@oclif/core';
import { limitInputs } from '../../engine/pipeline/time-limits.ts';
import { defined } from '../../engine/sdk/index.ts';
import type { App } from '../compose.ts';
import { typedValues } from '../inputs/arguments.ts';
import { eventsFlag, runFlags } from '../inputs/common-flags.ts';
import { flagsFor } from '../inputs/flags.ts';
import { overlaid, plainValues } from '../inputs/values.ts';
import { valuesOfVariables } from '../inputs/variables.ts';
import { DEFAULT_PIPELINE } from '../pipelines.ts';
import { RunningCommand } from '../running-command.ts';
import { planToResume } from '../runs/resume.ts';

const { 'dry-run': _dryRun, diff: _diff, ...flagsOfRun } = runFlags;
const ownFlags = { ...flagsOfRun, output: eventsFlag };

/** Of the pipeline for control planes, which extends that for workers, so it is opened only when it runs. */
export const CONTROL_PLANE_LIMITS = {
  controlPlaneComponentHealthCheckTimeout: {
    type: 'string',
    description: 'Timeout for the start of this control plane (kubeadm: 4m)',
  },
  etcdApiCallTimeout: { type: 'string', description: 'Timeout for each change of etcd (kubeadm: 2m)' },
  kubernetesApiCallTimeout: {
    type: 'string',
    description: 'Timeout for the labels and taints of the Node (kubeadm: 1m)',
  },
} as const;

/** Secrets of the shipped pipelines are flags, because they do not survive a reboot, and so are their time limits. */
export function resumeCommand(app: App) {
  const shipped = app.catalog.open(DEFAULT_PIPELINE);
  const limits = limitInputs(shipped);
  const replaced = Object.entries(shipped.inputs.properties).filter(
    ([name, { writeOnly }]) => writeOnly === true || limits.includes(name),
  );
  const { certificateKey } = app.registry.get('download-certs').input.properties ?? {};
  const schema = { properties: defined({ ...Object.fromEntries(replaced), ...CONTROL_PLANE_LIMITS, certificateKey }) };
  return class Resume extends RunningCommand {
    static override summary = 'Resume an interrupted or failed run';
    static override description =
      'Completed steps do not run again. Tokens are needed again only after a reboot, or if one has expired.';
    static override flags = { ...flagsFor(schema), ...ownFlags };
    static override args = {
      id: Args.string({
        ignoreStdin: true,
        description: 'Run ID, or a unique prefix (default: the last unfinished run)',
      }),
    };

    async run(): Promise<void> {
      const { flags, args } = await this.parse(Resume);
      const typed = await typedValues(schema, { flags });
      const again = plainValues(overlaid(valuesOfVariables(schema, process.env).values, typed));
      await this.resume({
        id: args.id,
        onFailure: flags['on-failure'],
        root: flags.root,
        output: flags.output,
        plan: (journal) => planToResume(app, journal, { again, argv: this.argv }),
      });
    }
  };
}
