/** `join pipeline validate FILE`: reports every problem of a pipeline and its environments, without running it. */
import { Args, Flags } from '@oclif/core';
import { EXIT, fail } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import type { App } from '../../compose.ts';
import { envFlag, runFlags } from '../../inputs/common-flags.ts';
import { DEFAULT_PIPELINE } from '../../pipelines.ts';
import { openTrackedWithPlugins, type PipelineRequest } from '../../plugins/open-with-plugins.ts';
import { withoutTokens } from '../../render/error.ts';
import { jsonText } from '../../render/json.ts';

export class PipelineValidate extends JoinCommand {
  static override summary = 'Check a pipeline and its environments without running it';
  static override description = 'Parts of an environment that apply only to some machines are checked one at a time.';
  static override args = {
    file: Args.string({
      default: DEFAULT_PIPELINE,
      description: `Name or file of the pipeline (default ${DEFAULT_PIPELINE})`,
    }),
  };
  static override flags = {
    env: envFlag,
    plugin: runFlags.plugin,
    output: Flags.option({
      options: ['text', 'json', 'sarif'] as const,
      default: 'text',
      description: 'Format of the result on standard output (default text)',
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PipelineValidate);
    const { file } = args;
    const { steps, problems } = await checkRequest(this.app, {
      name: file,
      environments: flags.env ?? [],
      argv: this.argv,
    });
    if (flags.output === 'text') {
      if (problems.length > 0) throw fail('E_PIPELINE', { problems });
      return this.log(`${file}: ${steps.length} step${steps.length === 1 ? '' : 's'}, no problems`);
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

async function checkRequest(app: App, request: PipelineRequest) {
  const { checkForAllHosts, problemsIn } = await import('../../../engine/environment/check.ts');
  try {
    return checkForAllHosts(await openTrackedWithPlugins(app, request), app.registry);
  } catch (error) {
    return { steps: [], problems: problemsIn(error) };
  }
}
