/** `join phase` lists the phases; `join phase NAME` runs one, with flags from its input schema. */
import { type Pipeline, type PipelineStep, variantsOf } from '../../engine/pipeline/load.ts';
import { phaseFor, planOfPhase, standaloneInputs } from '../../engine/pipeline/phase-plan.ts';
import { type AnyPhase, defined, describeEffect } from '../../engine/sdk/index.ts';
import { JoinCommand } from '../command.ts';
import type { App } from '../compose.ts';
import { typedValues, withAbsolutePaths } from '../inputs/arguments.ts';
import { envFlag, eventsFlag, outputFlag, runFlags } from '../inputs/common-flags.ts';
import { argsFor, flagsFor } from '../inputs/flags.ts';
import { plainValues } from '../inputs/values.ts';
import { DEFAULT_PIPELINE } from '../pipelines.ts';
import { RunningCommand } from '../running-command.ts';

export class PhaseList extends JoinCommand {
  static override summary = 'List the phases';
  static override description = 'Each phase can run by itself: join phase NAME --help';
  static override flags = { plugin: runFlags.plugin, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(PhaseList);
    const phases = this.app.registry.all();
    if (flags.output !== 'text') {
      const document = { apiVersion: 'joinery.dev/v1', kind: 'PhaseList', phases: phases.map(phaseDocument) };
      return this.print(document, flags.output);
    }
    const width = Math.max(...phases.map(({ name }) => name.length));
    for (const { name, summary } of phases) this.log(`${name.padEnd(width)}  ${summary}`);
  }
}

const phaseDocument = ({ name, summary, input, output, effects, irreversible, origin }: AnyPhase): object =>
  defined({
    name,
    summary,
    input,
    output,
    effects,
    irreversible,
    plugin: origin?.plugin,
    version: origin?.version,
  });

/** The command of a phase, or of a step of the default pipeline. The inputs decide which phase such a step runs. */
export function phaseCommand(app: App, pipeline: Pipeline, step: PipelineStep) {
  const { registry } = app;
  const phases = variantsOf(step).map((variant) => registry.get(variant.phase));
  const input = { properties: Object.assign({}, ...phases.map((phase) => phase.input.properties)) };
  return class OnePhase extends RunningCommand {
    static override summary = phases.map(({ summary }) => summary).join(', or: ');
    static override hidden = registry.find(step.id) === undefined;
    static override description = descriptionOf(phases);
    static override flags = { ...flagsFor(input, registry.gates()), ...runFlags, output: eventsFlag, env: envFlag };
    static override args = argsFor(input);

    async run(): Promise<void> {
      const { flags, args } = await this.parse(OnePhase);
      const typed = withAbsolutePaths(input, plainValues(await typedValues(input, { flags, args })), flags.root);
      const phase = registry.get(phaseFor(step, typed));
      const pipelineFor =
        flags.env === undefined ? () => pipeline : await app.catalog.openOverlaid(DEFAULT_PIPELINE, flags.env);
      await this.execute({
        dryRun: flags['dry-run'] ? { document: 'result', diff: flags.diff } : undefined,
        onFailure: flags['on-failure'],
        root: flags.root,
        output: flags.output,
        plan(host) {
          const inputs = { ...standaloneInputs(pipelineFor(host), phase, host), ...typed };
          return planOfPhase(step.id, phase, inputs, host);
        },
      });
    }
  };
}

const descriptionOf = (phases: readonly AnyPhase[]): string =>
  [
    'It may:',
    ...phases.flatMap(({ effects }) => effects.map((effect) => `- ${describeEffect(effect)}`)),
    ...phases.flatMap(({ irreversible }) => (irreversible === undefined ? [] : [`Not undone: ${irreversible}`])),
    ...phases.flatMap(({ origin }) =>
      origin === undefined ? [] : [`From plugin ${origin.plugin} ${origin.version}.`],
    ),
    '@FILE reads a value from a file; - reads a secret from standard input.',
  ].join('\n');
