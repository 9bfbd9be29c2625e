/** The command line: every command by its name, handed to oclif. */
import 'reflect-metadata'; // tsyringe throws without it
import { type Command, flush, handle, run } from '@oclif/core';
import type { Importer } from '../engine/plugins/load.ts';
import { fail, isJoinError, nearest } from '../engine/sdk/index.ts';
import pjson from '../package.json' with { type: 'json' };
import { Approve } from './commands/approve.ts';
import { CaHash } from './commands/ca-hash.ts';
import { ConfigMigrate } from './commands/config/migrate.ts';
import { ConfigPrintDefaults } from './commands/config/print-defaults.ts';
import { ConfigValidate } from './commands/config/validate.ts';
import { Doctor } from './commands/doctor.ts';
import { PhaseList, phaseCommand } from './commands/phase.ts';
import { PipelineExplain } from './commands/pipeline/explain.ts';
import { PipelineGraph } from './commands/pipeline/graph.ts';
import { PipelineList } from './commands/pipeline/list.ts';
import { PipelineSchema } from './commands/pipeline/schema.ts';
import { PipelineShow } from './commands/pipeline/show.ts';
import { PipelineValidate } from './commands/pipeline/validate.ts';
import { planCommand } from './commands/plan.ts';
import { PluginCheck } from './commands/plugin/check.ts';
import { PluginList } from './commands/plugin/list.ts';
import { PluginLock } from './commands/plugin/lock.ts';
import { PluginNew } from './commands/plugin/new.ts';
import { resetCommand } from './commands/reset.ts';
import { resumeCommand } from './commands/resume.ts';
import { runCommand } from './commands/run.ts';
import { RunList } from './commands/runs/index.ts';
import { RunPrune } from './commands/runs/prune.ts';
import { RunShow } from './commands/runs/show.ts';
import { SandboxDemo } from './commands/sandbox/demo.ts';
import { SandboxKubelet } from './commands/sandbox/kubelet.ts';
import { SandboxUp } from './commands/sandbox/up.ts';
import { TokenCreate } from './commands/token/create.ts';
import { TokenDelete } from './commands/token/delete.ts';
import { TokenGenerate } from './commands/token/generate.ts';
import { TokenList } from './commands/token/list.ts';
import { Undo } from './commands/undo.ts';
import { registry } from './compose.ts';
import { typedFor } from './inputs/flags.ts';
import { DEFAULT_PIPELINE, openLayered, openPipeline } from './pipelines.ts';
import { launcher, usePlugins } from './plugins/discover.ts';
import { errorText, withoutTokens } from './render/error.ts';

/** oclif asks this module for it. */
export const COMMANDS: Record<string, Command.Class> = {};

/** `importer` is the launcher's own `import()`, for plugins. */
export async function main(root: string, argv: string[], importer?: Importer): Promise<void> {
  if (importer !== undefined) launcher.import = importer;
  try {
    await dispatch(root, argv);
  } catch (error) {
    if (!isJoinError(error)) {
      (error as Error).message = withoutTokens((error as Error).message);
      return handle(error as Error);
    }
    process.stderr.write(`${errorText(error, pjson.version)}\n`);
    process.exitCode = error.exitCode;
    if (launcher.isUsed) process.exit();
  }
}

async function dispatch(root: string, argv: string[]): Promise<void> {
  if (argv[0] === 'phase') {
    await usePlugins({ root, argv }); // an environment may be one of theirs
    const layered = await openLayered(root, DEFAULT_PIPELINE, typedFor('--env', argv));
    await usePlugins({ root, argv, pipeline: layered() });
  }
  // oclif looks at every command it is given; `join run` should not pay for the others.
  Object.assign(COMMANDS, argv[0] === 'run' ? { run: runCommand(root) } : allCommands(root));
  const [topic, name = '-'] = argv;
  const phases = Object.keys(COMMANDS).filter((id) => id.startsWith('phase:'));
  if (topic === 'phase' && !name.startsWith('-') && !phases.includes(`phase:${name}`))
    throw fail('E_PHASE_UNKNOWN', {
      phase: name,
      nearest: nearest(
        name,
        phases.map((id) => id.slice('phase:'.length)),
      ),
    });
  await run(argv, { root, pjson: pjson as never });
  await flush();
  if (launcher.isUsed) process.exit(); // whatever a plugin may have left running
}

/** By their words, with colons between. */
export const allCommands = (root: string): Record<string, Command.Class> => ({
  run: runCommand(root),
  plan: planCommand(root),
  resume: resumeCommand(root),
  undo: Undo,
  reset: resetCommand(),
  doctor: Doctor,
  approve: Approve,
  runs: RunList,
  'runs:show': RunShow,
  'runs:prune': RunPrune,
  phase: PhaseList,
  ...phaseCommands(root),
  'pipeline:list': PipelineList,
  'pipeline:show': PipelineShow,
  'pipeline:schema': PipelineSchema,
  'pipeline:validate': PipelineValidate,
  'pipeline:explain': PipelineExplain,
  'pipeline:graph': PipelineGraph,
  'plugin:list': PluginList,
  'plugin:check': PluginCheck,
  'plugin:lock': PluginLock,
  'plugin:new': PluginNew,
  'config:validate': ConfigValidate,
  'config:migrate': ConfigMigrate,
  'config:print-defaults': ConfigPrintDefaults,
  'token:create': TokenCreate,
  'token:list': TokenList,
  'token:delete': TokenDelete,
  'token:generate': TokenGenerate,
  'ca-hash': CaHash,
  'sandbox:up': SandboxUp,
  'sandbox:demo': SandboxDemo,
  'sandbox:kubelet': SandboxKubelet,
});

/** A command for each phase, and one for each step of the default pipeline that has another name than its phase. */
function phaseCommands(root: string): Record<string, Command.Class> {
  const pipeline = openPipeline(root, DEFAULT_PIPELINE);
  const commands = registry()
    .all()
    .map((phase) => phaseCommand(root, pipeline, { id: phase.name, uses: phase.name }));
  const steps = pipeline.steps.filter(({ id }) => registry().find(id) === undefined);
  const names = [...registry().names(), ...steps.map(({ id }) => id)];
  const all = [...commands, ...steps.map((step) => phaseCommand(root, pipeline, step))];
  return Object.fromEntries(all.map((command, index) => [`phase:${names[index]}`, command]));
}
