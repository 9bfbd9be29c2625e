/** `join plan`: what `join run` would change. */
import type { FlagInput } from '@oclif/core/interfaces';
import type { App } from '../compose.ts';
import { planFlags } from '../inputs/run-flags.ts';
import { type DescribedPipeline, runCommand } from './run.ts';

export function planCommand(app: App, described?: DescribedPipeline) {
  return class Plan extends runCommand(app, described) {
    static override summary = 'Show what a run would change, file by file';
    static override usage = super.usage.replace(/^run/, 'plan');
    static override description =
      'Takes the flags of join run. Reads are real, the API server checks each write, and nothing changes.';
    static override examples = [
      '<%= config.bin %> plan 10.0.0.1:6443 --token … \\\n' +
        '  --discovery-token-ca-cert-hash sha256:… --env bare-metal',
    ];

    static override flags = planFlagsOf(super.flags);

    protected override readonly isPlan: boolean = true;
  };
}

/** All flags of `join run` but those that a plan has no use for. */
function planFlagsOf({ plan: _, detach: __, ...flags }: FlagInput): FlagInput {
  return { ...flags, ...planFlags };
}
