/** `join run --plan FILE`: the file sets every input. Only secrets, which it does not hold, are added. */
import { flagName } from '../../engine/pipeline/flag-names.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { fail, revealSecrets, type Schema } from '../../engine/sdk/index.ts';
import type { App } from '../compose.ts';
import { typedValues } from '../inputs/arguments.ts';
import { argsFor, flagsFor } from '../inputs/flags.ts';
import { hasControlPlaneFlag } from '../inputs/kubeadm-line.ts';
import { valuesOfFlag } from '../inputs/raw-flags.ts';
import { ownFlags, savedFlags } from '../inputs/run-flags.ts';
import { overlaid, plainValues } from '../inputs/values.ts';
import { valuesOfVariables } from '../inputs/variables.ts';
import { sourceOf } from '../pipelines.ts';
import { openWithPlugins } from '../plugins/open-with-plugins.ts';
import type { RunRequest } from '../running-command.ts';
import { readSavedPlan, requireNoDrift, savedInputs } from '../runs/saved-plan.ts';

/** Flags whose values a saved plan holds. */
const SET_BY_PLAN = ['--pipeline', '--env', '--config'];

interface ParsedLine {
  flags: Pick<RunRequest, 'root' | 'output'> & { 'on-failure'?: RunRequest['onFailure'] } & Record<string, unknown>;
  args: Record<string, unknown>;
}

const optionsFor = (inputs: Schema, app: App) => ({
  flags: { ...flagsFor(inputs, app.registry.gates()), ...ownFlags, ...savedFlags },
  args: argsFor(inputs),
});

/** Errors: E_INPUT, E_PLAN_FILE, E_PLAN_SECRET. */
export async function savedRunRequest(
  app: App,
  { file, argv }: { file: string; argv: readonly string[] },
  parse: (options: ReturnType<typeof optionsFor>) => Promise<ParsedLine>,
): Promise<RunRequest> {
  const saved = readSavedPlan(file);
  const { name, environments = [] } = saved.source;
  const names = environments.map((environment) => environment.name);
  const pipelineFor = await openWithPlugins(app, { name, environments: names, argv });
  const { inputs } = pipelineFor();
  const { flags, args } = await parse(optionsFor(inputs, app));
  const typed = await typedValues(inputs, { flags, args });
  const isSecret = (input: string) => inputs.properties[input]?.writeOnly === true;
  const others = [
    ...Object.keys(typed)
      .filter((input) => !isSecret(input))
      .map(flagName),
    ...SET_BY_PLAN.filter((flag) => valuesOfFlag(flag, argv).length > 0),
    ...(hasControlPlaneFlag(argv) ? ['--control-plane'] : []),
  ];
  if (others.length > 0)
    throw fail('E_INPUT', { problems: others.map((flag) => `${flag} cannot be combined with --plan, which sets it`) });
  const secrets = {
    properties: Object.fromEntries(Object.entries(inputs.properties).filter(([input]) => isSecret(input))),
  };
  const known = plainValues(overlaid(valuesOfVariables(secrets, process.env).values, typed));
  const values = revealSecrets(await savedInputs(file, saved, known)) as Record<string, unknown>; // an object stays one
  return {
    onFailure: flags['on-failure'],
    root: flags.root,
    output: flags.output,
    plan(host) {
      const pipeline = pipelineFor(host);
      return { ...planOf(pipeline, app.registry, values, host), source: sourceOf(pipeline, name) };
    },
    check: (plan, session) => requireNoDrift(file, saved, plan, session),
  };
}
