/** Flags of `join run` and `join plan` that are not inputs of a pipeline. */
import { Flags } from '@oclif/core';
import { CONTROL_PLANE_PIPELINE, DEFAULT_PIPELINE } from '../pipelines.ts';
import { envFlag, eventsFlag, runFlags } from './common-flags.ts';
import { lenientFlag } from './config-documents.ts';

export const ownFlags = {
  ...runFlags,
  output: eventsFlag,
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
  'control-plane': Flags.boolean({
    description: `Join as a control plane, with the pipeline ${CONTROL_PLANE_PIPELINE}, whose inputs become flags`,
  }),
  env: envFlag,
};

/** Only `join run` has these. */
export const savedFlags = {
  detach: Flags.boolean({
    exclusive: ['dry-run'],
    description: 'Run in the background, independent of this terminal; follow it with join attach',
  }),
  trace: Flags.string({
    exclusive: ['dry-run', 'plan'],
    helpValue: 'FILE',
    description: "Write when each step ran to FILE, in Chrome's trace format",
  }),
  plan: Flags.string({
    helpValue: 'FILE',
    description: 'Run the plan that join plan --out saved, if nothing has changed since; only secrets can be added',
  }),
};

/** Only `join plan` has these. */
export const planFlags = {
  out: Flags.string({ helpValue: 'FILE', description: 'Save the plan, without secrets, for join run --plan FILE' }),
  'detailed-exitcode': Flags.boolean({
    description: 'Exit with 0 if there is nothing to do, 2 if there are changes, and 1 or more on errors',
  }),
};
