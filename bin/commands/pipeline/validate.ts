/** `join pipeline validate FILE`: reports every problem of a pipeline and its environments, without running it. */
import { Args, Flags } from '@oclif/core';
import type { Pipeline } from '../../../engine/pipeline/load.ts';
import { EXIT, fail, printable } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import type { App } from '../../compose.ts';
import { envFlag, runFlags } from '../../inputs/common-flags.ts';
import { OUTPUT_FORMATS } from '../../inputs/raw-flags.ts';
import { DEFAULT_PIPELINE } from '../../pipelines.ts';
import { openTrackedWithPlugins, type PipelineRequest } from '../../plugins/open-with-plugins.ts';
import { documentText } from '../../render/document.ts';
import { withoutTokens } from '../../render/error.ts';

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
      char: 'o',
      options: [...OUTPUT_FORMATS, 'sarif'] as const,
      default: 'text',
      description: 'Format of the result on standard output (default text)',
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(PipelineValidate);
    const { file } = args;
    const { steps, problems, notes } = await checkRequest(this.app, {
      name: file,
      environments: flags.env ?? [],
      argv: this.argv,
    });
    if (flags.output === 'text') {
      if (problems.length > 0) throw fail('E_PIPELINE', { problems });
      for (const note of notes) process.stderr.write(`! ${printable(note)}\n`);
      return this.log(`${file}: ${steps.length} step${steps.length === 1 ? '' : 's'}, no problems`);
    }
    const valid = problems.length === 0;
    const document =
      flags.output === 'sarif'
        ? (await import('../../render/sarif.ts')).sarifDocument(problems, this.config.version)
        : { apiVersion: 'joinery.dev/v1', kind: 'PipelineValidation', file, valid, steps, problems, notes };
    const format = flags.output === 'sarif' ? 'json' : flags.output;
    this.log(withoutTokens(await documentText(document, format)));
    if (!valid) process.exitCode = EXIT.pipeline;
  }
}

async function checkRequest(app: App, request: PipelineRequest) {
  const { checkForAllHosts, problemsIn } = await import('../../../engine/environment/check.ts');
  try {
    const tracked = await openTrackedWithPlugins(app, request);
    const checked = checkForAllHosts(tracked, app.registry);
    const isValid = checked.problems.length === 0;
    return { ...checked, notes: isValid ? await missingUndoPrograms(app, tracked.resolve().pipeline) : [] };
  } catch (error) {
    return { steps: [], problems: problemsIn(error), notes: [] };
  }
}

/** The phase reports it, too, but only when the pipeline runs. This may also be another machine. */
async function missingUndoPrograms(app: App, { steps, finally: last = [] }: Pipeline): Promise<string[]> {
  const { machine, close } = await app.openMachine({ root: '/' });
  try {
    const notes: string[] = [];
    for (const { id, with: inputs } of [...steps, ...last]) {
      const [program] = Array.isArray(inputs?.undo) ? inputs.undo : [];
      if (typeof program !== 'string' || /\$\{\{|\//.test(program)) continue;
      const found = await machine.read({ kind: 'program', name: program }, new AbortController().signal);
      if (found === undefined) notes.push(`step ${id}: ${program}, which would undo it, is not installed here`);
    }
    return notes;
  } finally {
    await close();
  }
}
