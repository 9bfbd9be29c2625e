/** `join phase` lists the phases; `join phase NAME` runs one, with flags from its input schema. */
import { Flags } from '@oclif/core';
import { type Pipeline, type PipelineStep, variantsOf } from '../../engine/pipeline/load.ts';
import { phaseFor, planOfPhase, standaloneInputs } from '../../engine/pipeline/phase-plan.ts';
import { type AnyPhase, defined, describeEffect, fail, type Schema } from '../../engine/sdk/index.ts';
import { JoinCommand } from '../command.ts';
import type { App } from '../compose.ts';
import { typedValues, withAbsolutePaths } from '../inputs/arguments.ts';
import { envFlag, eventsFlag, outputFlag, runFlags } from '../inputs/common-flags.ts';
import { lenientFlag } from '../inputs/config-documents.ts';
import { argsFor, flagsFor } from '../inputs/flags.ts';
import { phaseLine } from '../inputs/phase-line.ts';
import { ownFlags, savedFlags } from '../inputs/run-flags.ts';
import { type ConfigFile, plainValues, type Values } from '../inputs/values.ts';
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

const phaseFlags = {
  ...runFlags,
  output: eventsFlag,
  env: envFlag,
  config: Flags.string({ helpValue: 'FILE|-', description: 'kubeadm configuration file of any version' }),
  lenient: lenientFlag,
};

/** The command of a phase, or of a step of the default pipeline. The inputs decide which phase such a step runs. */
export function phaseCommand(app: App, pipeline: Pipeline, step: PipelineStep) {
  const { registry } = app;
  const phases = variantsOf(step).map((variant) => registry.get(variant.phase));
  const input = { properties: Object.assign({}, ...phases.map((phase) => phase.input.properties)) };
  return class OnePhase extends RunningCommand {
    static override summary = phases.map(({ summary }) => summary).join(', or: ');
    static override hidden = registry.find(step.id) === undefined;
    static override description = descriptionOf(phases);
    static override flags = { ...flagsFor(input, registry.gates()), ...phaseFlags };
    static override args = argsFor(input);

    async run(): Promise<void> {
      const own = { ...flagsFor(input, registry.gates()), ...phaseFlags };
      const ofRun = { ...flagsFor(pipeline.inputs, registry.gates()), ...ownFlags, ...savedFlags };
      const hasEndpoint = input.properties.endpoint !== undefined;
      const { argv, off, notes } = phaseLine(this.argv, { own, ofRun, hasEndpoint });
      const { flags, args } = await this.parse({ flags: own, args: argsFor(input) }, argv);
      const config = flags.config === undefined ? undefined : { file: flags.config, lenient: flags.lenient };
      const stdinReaders = flags.config === '-' ? ['--config'] : [];
      const values = await typedValues(input, { flags, args, off, stdinReaders });
      const merged = await withConfig(config, values, [pipeline.inputs, input]);
      const typed = withAbsolutePaths(input, plainValues(merged), flags.root);
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
          const plan = planOfPhase(step.id, phase, inputs, host);
          return { ...plan, notes: [...notes, ...plan.notes] };
        },
      });
    }
  };
}

/** Adds what the configuration file sets of the inputs of the phase, the second of `schemas`. */
async function withConfig(
  config: Omit<ConfigFile, 'text'> | undefined,
  values: Values,
  schemas: readonly Schema[],
): Promise<Values> {
  if (config === undefined) return values;
  const { mergeWithConfigFile, openConfigFile } = await import('../inputs/config-file.ts');
  const [, own] = schemas;
  const known = { properties: Object.assign({}, ...schemas.map(({ properties }) => properties)) };
  const merged = mergeWithConfigFile(await openConfigFile(config), known, values);
  if (merged.problems.length > 0) throw fail('E_INPUT', { problems: [...merged.problems] });
  return Object.fromEntries(Object.entries(merged.values).filter(([name]) => own?.properties?.[name] !== undefined));
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
