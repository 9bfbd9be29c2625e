/** `join resume`: goes on with a run that did not get to its end. */
import { Args } from '@oclif/core';
import type { Journal } from '../../engine/journal/journal.ts';
import { JoinCommand } from '../command.ts';
import { flagsFor, runFlags, typedValues } from '../inputs/flags.ts';
import { layered, plainValues } from '../inputs/values.ts';
import { fromVariables } from '../inputs/variables.ts';
import { DEFAULT_PIPELINE, openPipeline } from '../pipelines.ts';
import { planToResume } from '../runs.ts';

const { 'dry-run': _, ...ownFlags } = runFlags;

/** `root` is the package's folder. Secrets of the shipped pipeline are flags, since they do not outlive a reboot. */
export function resumeCommand(root: string) {
  const { properties } = openPipeline(root, DEFAULT_PIPELINE).inputs;
  const secrets = Object.entries(properties).filter(([, { writeOnly }]) => writeOnly === true);
  const schema = { properties: Object.fromEntries(secrets) };
  return class Resume extends JoinCommand {
    static override summary = 'Go on with a run that did not get to its end';
    static override description =
      'Steps that are done are not done again. Tokens are only needed anew after a reboot, or where one has expired.';
    static override flags = { ...flagsFor(schema), ...ownFlags };
    static override args = {
      id: Args.string({ ignoreStdin: true, description: 'Which run; left out: the last one that is unfinished' }),
    };

    async run(): Promise<void> {
      const { flags, args } = await this.parse(Resume);
      const typed = await typedValues(schema, flags, {});
      const given = plainValues(layered(fromVariables(schema, process.env).values, typed));
      const request = { id: args.id, onFailure: flags['on-failure'], root: flags.root, output: flags.output };
      await this.resume(request, (journal: Journal) => planToResume(root, journal, given, this.argv));
    }
  };
}
