/** `join phase`: lists the phases; `join phase NAME`: runs one, with flags from its input schema. */

import { type Pipeline, type PipelineStep, variantsOf } from '../../engine/pipeline/load.ts';
import { phaseFor, planOfPhase, standaloneInputs } from '../../engine/pipeline/phase-plan.ts';
import { describeEffect } from '../../engine/sdk/index.ts';
import { JoinCommand } from '../command.ts';
import { registry } from '../compose.ts';
import { argsFor, envFlag, flagsFor, runFlags, typedValues, withAbsolutePaths } from '../inputs/flags.ts';
import { plainValues } from '../inputs/values.ts';
import { DEFAULT_PIPELINE, openLayered } from '../pipelines.ts';

export class PhaseList extends JoinCommand {
  static override summary = 'List the phases';
  static override description = 'Each one runs by itself too: join phase NAME --help';
  static override flags = { plugin: runFlags.plugin, output: runFlags.output };

  async run(): Promise<void> {
    const { flags } = await this.parse(PhaseList);
    const phases = registry().all();
    if (flags.output === 'json') {
      const told = phases.map(({ name, summary, input, output, effects, irreversible, origin }) => ({
        ...{ name, summary, input, output, effects },
        ...(irreversible === undefined ? {} : { irreversible }),
        ...(origin === undefined ? {} : { plugin: origin.plugin, version: origin.version }),
      }));
      this.log(JSON.stringify({ apiVersion: 'joinery.dev/v1', kind: 'PhaseList', phases: told }, null, 2));
      return;
    }
    const width = Math.max(...phases.map(({ name }) => name.length));
    for (const { name, summary } of phases) this.log(`${name.padEnd(width)}  ${summary}`);
  }
}

/** The command of one phase; or of a step of the default pipeline, by its id: what was typed decides which of its phases runs. */
export function phaseCommand(root: string, pipeline: Pipeline, step: PipelineStep) {
  const phases = variantsOf(step).map((variant) => registry().get(variant.phase));
  const input = { properties: Object.assign({}, ...phases.map((phase) => phase.input.properties)) };
  return class OnePhase extends JoinCommand {
    static override summary = phases.map(({ summary }) => summary).join(', or: ');
    static override hidden = registry().find(step.id) === undefined;
    static override description = [
      'It may:',
      ...phases.flatMap(({ effects }) => effects.map((effect) => `- ${describeEffect(effect)}`)),
      ...phases.flatMap(({ irreversible }) => (irreversible === undefined ? [] : [`Not taken back: ${irreversible}`])),
      ...phases.flatMap(({ origin }) =>
        origin === undefined ? [] : [`From plugin ${origin.plugin} ${origin.version}.`],
      ),
      'A value @PATH is read from that file, and a secret - from standard input.',
    ].join('\n');
    static override flags = { ...flagsFor(input), ...runFlags, env: envFlag };
    static override args = argsFor(input);

    async run(): Promise<void> {
      const { flags, args } = await this.parse(OnePhase);
      const given = withAbsolutePaths(input, plainValues(await typedValues(input, flags, args)), flags.root);
      const phase = registry().get(phaseFor(step, given));
      const layered = flags.env === undefined ? () => pipeline : await openLayered(root, DEFAULT_PIPELINE, flags.env);
      await this.execute({
        dryRun: flags['dry-run'],
        onFailure: flags['on-failure'],
        root: flags.root,
        output: flags.output,
        plan: (host) =>
          planOfPhase(step.id, phase, { ...standaloneInputs(layered(host), phase, host), ...given }, host),
      });
    }
  };
}
