/** `join phase`: lists the phases; `join phase NAME`: runs one, with flags from its input schema. */

import type { Pipeline } from '../../engine/pipeline/load.ts';
import { inputsOutsidePipeline, planOfPhase } from '../../engine/pipeline/single.ts';
import { type AnyPhase, describeEffect } from '../../engine/sdk/index.ts';
import { JoinCommand } from '../command.ts';
import { registry } from '../compose.ts';
import { argsFor, flagsFor, runFlags, valuesOf } from '../flags.ts';

export class PhaseList extends JoinCommand {
  static override summary = 'List the phases';
  static override description = 'Each one runs by itself too: join phase NAME --help';
  static override flags = { output: runFlags.output };

  async run(): Promise<void> {
    const { flags } = await this.parse(PhaseList);
    const phases = registry().all();
    if (flags.output === 'json') {
      const told = phases.map(({ name, summary, input, output, effects, irreversible }) => ({
        ...{ name, summary, input, output, effects },
        ...(irreversible === undefined ? {} : { irreversible }),
      }));
      this.log(JSON.stringify({ apiVersion: 'joinery.dev/v1', kind: 'PhaseList', phases: told }, null, 2));
      return;
    }
    const width = Math.max(...phases.map(({ name }) => name.length));
    for (const { name, summary } of phases) this.log(`${name.padEnd(width)}  ${summary}`);
  }
}

/** The command of one phase; `name` is the phase's, or that of a step of the default pipeline that uses it. */
export function phaseCommand(pipeline: Pipeline, name: string, phase: AnyPhase) {
  return class OnePhase extends JoinCommand {
    static override summary = phase.summary;
    static override hidden = name !== phase.name;
    static override description = [
      'It may:',
      ...phase.effects.map((effect) => `- ${describeEffect(effect)}`),
      ...(phase.irreversible === undefined ? [] : [`Not taken back: ${phase.irreversible}`]),
      'A value @PATH is read from that file.',
    ].join('\n');
    static override flags = { ...flagsFor(phase.input), ...runFlags };
    static override args = argsFor(phase.input);

    async run(): Promise<void> {
      const { flags, args } = await this.parse(OnePhase);
      const given = valuesOf(phase.input, flags, args);
      await this.execute({
        dryRun: flags['dry-run'],
        onFailure: flags['on-failure'],
        root: flags.root,
        output: flags.output,
        plan: (host) => planOfPhase(name, phase, { ...inputsOutsidePipeline(pipeline, phase, host), ...given }, host),
      });
    }
  };
}
