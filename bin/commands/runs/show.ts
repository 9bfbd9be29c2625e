/** `join runs show`: shows one run, step by step. */
import { Args, Flags } from '@oclif/core';
import { type History, isClosed } from '../../../engine/journal/history.ts';
import type { Runs } from '../../../engine/journal/runs.ts';
import { checkPipeline } from '../../../engine/pipeline/check.ts';
import { fail, type RunEvent } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { runFlags } from '../../inputs/common-flags.ts';
import { OUTPUT_FORMATS } from '../../inputs/raw-flags.ts';
import { sourceOf } from '../../pipelines.ts';
import { openWithPlugins } from '../../plugins/open-with-plugins.ts';
import { graphNodes } from '../../render/graph.ts';
import { phaseNodes, withOutcomes } from '../../render/run-graph.ts';
import { runDetailsDocument, runText } from '../../render/runs.ts';
import { sourceDifference } from '../../runs/source.ts';

export class RunShow extends JoinCommand {
  static override summary = 'Show the steps, changes and errors of a run';
  static override examples = [
    '<%= config.bin %> runs show --output svg > run.svg',
    '<%= config.bin %> runs show --output html > run.html',
  ];
  static override flags = {
    root: runFlags.root,
    output: Flags.option({
      char: 'o',
      options: [...OUTPUT_FORMATS, 'svg', 'html'] as const,
      default: 'text',
      description:
        'Text, JSON, YAML, an SVG image of the steps that is coloured by outcome, or an HTML page (default text)',
    })(),
  };
  static override args = {
    id: Args.string({ ignoreStdin: true, description: 'Run ID, or a unique prefix (default: the last run)' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(RunShow);
    const { runs, holder: holderOf, close } = await this.app.openMachine({ root: flags.root });
    try {
      const history = await runs.history(await runs.find(args.id, () => true, 'show'));
      if (flags.output === 'svg') return this.log((await this.#picture(history)).trimEnd());
      if (flags.output === 'html') return this.log((await this.#page(runs, history.start.id)).trimEnd());
      const holder = isClosed(history) ? undefined : await holderOf();
      if (flags.output === 'text') return this.show(runText(history, holder, this.hint));
      const details = runDetailsDocument(history, holder, this.hint);
      await this.print({ apiVersion: 'joinery.dev/v1', kind: 'Run', ...details }, flags.output);
    } finally {
      await close();
    }
  }

  /** E_RUN_EVENTS. */
  async #page(runs: Runs, run: string): Promise<string> {
    const { runReport } = await import('../../fleet/reports.ts');
    const events: RunEvent[] = [];
    for (let offset = 0; ; ) {
      const read = await runs.readEvents(run, offset);
      events.push(...(read?.events ?? []));
      if (read === undefined || read.offset === offset) break;
      offset = read.offset;
    }
    const page = runReport(events, this.app.assets, this.hint);
    if (page === undefined) throw fail('E_RUN_EVENTS', { run });
    return page;
  }

  /** E_RUN_CHANGED if the pipeline or an environment has changed since the run, so that its steps are not known. */
  async #picture(history: History): Promise<string> {
    const { svgText } = await import('../../render/svg.ts');
    const { id, pipeline: title, source, host } = history.start;
    if (source.kind === 'phase') return svgText(title, withOutcomes(phaseNodes(history), history));
    await this.app.plugins.loadForRun(history.start);
    const environments = (source.environments ?? []).map(({ name }) => name);
    const pipeline = (await openWithPlugins(this.app, { name: source.name, environments, argv: this.argv }))(host);
    const difference = sourceDifference(sourceOf(pipeline, source.name), source);
    if (difference !== undefined) throw fail('E_RUN_CHANGED', { run: id, source: difference });
    const nodes = graphNodes(pipeline, checkPipeline(pipeline, this.app.registry));
    return svgText(title, withOutcomes(nodes, history));
  }
}
