/** `join pipeline validate FILE`: everything that is wrong with a pipeline and its environments, without running it. */
import { Args, Flags } from '@oclif/core';
import { EXIT, fail } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { registry } from '../../compose.ts';
import { envFlag, runFlags } from '../../inputs/flags.ts';
import { DEFAULT_PIPELINE, openTracked } from '../../pipelines.ts';
import { usePlugins } from '../../plugins/discover.ts';
import { withoutTokens } from '../../render/error.ts';
import { jsonText } from '../../render/json.ts';

export class PipelineValidate extends JoinCommand {
  static override summary = 'Check a pipeline, and the environments laid over it, without running it';
  static override description = 'What environments say for some machines only is checked for each of them.';
  static override args = {
    file: Args.string({ default: DEFAULT_PIPELINE, description: 'The file, or the name of a shipped pipeline' }),
  };
  static override flags = {
    env: envFlag,
    plugin: runFlags.plugin,
    output: Flags.option({
      options: ['text', 'json', 'sarif'] as const,
      default: 'text',
      description: 'Form of the result on standard output',
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PipelineValidate);
    const { file } = args;
    const { steps, problems } = await checked(this.config.root, file, flags.env ?? [], this.argv);
    if (flags.output === 'text') {
      if (problems.length > 0) throw fail('E_PIPELINE', { problems });
      return this.log(`${file}: ${steps.length} steps, no problem`);
    }
    const valid = problems.length === 0;
    const document =
      flags.output === 'sarif'
        ? (await import('../../render/sarif.ts')).sarifDocument(problems, this.config.version)
        : { apiVersion: 'joinery.dev/v1', kind: 'PipelineValidation', file, valid, steps, problems };
    this.log(withoutTokens(jsonText(document)));
    if (!valid) process.exitCode = EXIT.pipeline;
  }
}

async function checked(root: string, file: string, names: readonly string[], argv: readonly string[]) {
  const { checkForAllHosts, problemsIn } = await import('../../../engine/environment/check.ts');
  try {
    const opened = await openTracked(root, file, names);
    await usePlugins({ root, argv, pipeline: opened.resolve().pipeline });
    return checkForAllHosts(opened, registry());
  } catch (error) {
    return { steps: [], problems: problemsIn(error) };
  }
}
