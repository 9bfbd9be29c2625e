/** The entry point: composes the application and hands its commands to oclif. */
import 'reflect-metadata'; // tsyringe needs it
import { type Command, handle, run } from '@oclif/core';
import type { Importer } from '../engine/plugins/load.ts';
import { openFilesError } from '../engine/sdk/errors.ts';
import { fail, isJoinError, type JoinError, nearest, printable } from '../engine/sdk/index.ts';
import pjson from '../package.json' with { type: 'json' };
import { type EmbeddedFiles, embeddedAssets, packageAssets } from './assets.ts';
import { withApp } from './command.ts';
import { commandPlugin } from './command-plugin.ts';
import { Approve } from './commands/approve.ts';
import { Attach } from './commands/attach.ts';
import { CaHash } from './commands/ca-hash.ts';
import { CertsUpload } from './commands/certs/upload.ts';
import { completionCommand } from './commands/completion.ts';
import { ConfigMigrate } from './commands/config/migrate.ts';
import { ConfigPrintDefaults } from './commands/config/print-defaults.ts';
import { ConfigValidate } from './commands/config/validate.ts';
import { Doctor } from './commands/doctor.ts';
import { fleetActions } from './commands/fleet/actions.ts';
import { FleetPlan } from './commands/fleet/plan.ts';
import { FleetRun } from './commands/fleet/run.ts';
import { FleetStatusCommand } from './commands/fleet/status.ts';
import { FleetUi } from './commands/fleet/ui.ts';
import { FleetUndo } from './commands/fleet/undo.ts';
import { FleetValidate } from './commands/fleet/validate.ts';
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
import { type DescribedPipeline, runCommand } from './commands/run.ts';
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
import { type App, composeApp } from './compose.ts';
import { machineConfig, withMachineFlags } from './inputs/machine-config.ts';
import { choosePipeline } from './inputs/pipeline-choice.ts';
import { outputOf, valuesOfFlag } from './inputs/raw-flags.ts';
import { DEFAULT_PIPELINE } from './pipelines.ts';
import { openWithPlugins } from './plugins/open-with-plugins.ts';
import { chooseColours, coloured } from './render/colour.ts';
import { errorText, usageError, withoutTokens } from './render/error.ts';
import { failureText } from './render/failure.ts';
import { Invocation } from './render/invocation.ts';

/**
 * `files` are those of Joinery: the folder of its package, or what the executable contains. `importer` is the
 * launcher's own `import()`, for plugins.
 */
export async function main(files: string | EmbeddedFiles, argv: string[], importer?: Importer): Promise<void> {
  const assets = typeof files === 'string' ? packageAssets(files) : embeddedAssets(files);
  // The executable is its own program: Node knows only the word that it was called by.
  const program = typeof files === 'string' ? process.argv[1] : process.execPath;
  const invocation = new Invocation({ program: program ?? 'join', argv });
  const app = composeApp({ assets, importer, invocation });
  app.output.guard();
  chooseColours(valuesOfFlag('--color', argv).at(-1));
  try {
    app.machineConfig = await machineConfig(argv);
    const words = withMachineFlags(argv, app.machineConfig);
    chooseColours(valuesOfFlag('--color', words).at(-1));
    await runCommandLine(app, words);
  } catch (thrown) {
    const error = openFilesError(thrown, undefined) ?? thrown;
    if (!isJoinError(error)) {
      (error as Error).message = withoutTokens((error as Error).message);
      return handle(error as Error);
    }
    const document = await failureText(error, outputOf(argv), (text) => invocation.hint(text));
    if (document !== undefined) process.stdout.write(`${document}\n`);
    endWith(app, error);
  }
  await app.output.drain();
  const { lost, isReport } = app.output;
  if (lost !== undefined && isReport) process.stderr.write(`Warning: ${printable(lost.message)}\n`);
  else if (lost !== undefined) endWith(app, lost);
  if (app.plugins.hasRunCode) process.exit(); // a plugin may have left timers or sockets open
}

function endWith({ invocation }: App, error: JoinError): void {
  const hint = (text: string) => invocation.hint(text);
  process.stderr.write(`${coloured(errorText(error, { version: pjson.version, hint }), process.stderr)}\n`);
  process.exitCode ||= error.exitCode;
}

async function runCommandLine(app: App, argv: string[]): Promise<void> {
  const [topic] = argv;
  if (topic === 'phase')
    await openWithPlugins(app, { name: DEFAULT_PIPELINE, environments: valuesOfFlag('--env', argv), argv });
  // oclif inspects every command, so `join run` gets only its own and starts faster.
  const described = await pipelineForHelp(app, argv);
  const commands = topic === 'run' ? { run: withApp(app, runCommand(app, described)) } : allCommands(app, described);
  if (topic === 'phase') assertPhaseExists(argv[1], commands);
  const words = asFlags(argv);
  // A topic alone, such as `join sandbox`, also prints help.
  if (words.includes('--help') || words.includes('-h') || !Object.hasOwn(commands, topic ?? ''))
    (await import('./render/help-width.ts')).fitHelpToWidth();
  assertCommandExists(words, Object.keys(commands));
  assertNoExtraWord(words, commands);
  const plugin = await commandPlugin(app.assets.root, commands);
  await run(words, { root: app.assets.root, pjson: pjson as never, plugins: new Map([[plugin.name, plugin]]) });
}

/** The pipeline that the words name, if they ask for the help of a command that describes it. */
async function pipelineForHelp(app: App, argv: string[]): Promise<DescribedPipeline | undefined> {
  const [topic, ...words] = argv[0] === 'help' ? argv.slice(1) : argv;
  const asksForHelp = argv[0] === 'help' || words.some((word) => word === '--help' || word === '-h');
  if (!asksForHelp || (topic !== 'run' && topic !== 'plan')) return undefined;
  const { name, inputsOf } = await choosePipeline(words);
  const pipelineFor = await openWithPlugins(app, { name, environments: valuesOfFlag('--env', words), argv });
  const pipeline = pipelineFor();
  return { metadata: pipeline.metadata, inputs: inputsOf(pipeline) };
}

/** `help` and `version` are words in other programs, and flags in oclif. */
function asFlags([first, ...rest]: readonly string[]): string[] {
  if (first === 'help') return [...rest, '--help'];
  return [...(first === undefined ? [] : [first === 'version' ? '--version' : first]), ...rest];
}

/** E_COMMAND_UNKNOWN. oclif joins the words of a command with colons. */
function assertCommandExists(argv: readonly string[], ids: readonly string[]): void {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const [topic = '', name] = end === -1 ? argv : argv.slice(0, end);
  const hasTopic = ids.some((id) => id === topic || id.startsWith(`${topic}:`));
  // `runs` is a command without arguments, and a topic.
  const isCommand = name === undefined || (ids.includes(topic) && topic !== 'runs') || ids.includes(`${topic}:${name}`);
  const subcommands = ids.filter((id) => id.startsWith(`${topic}:`));
  if (topic === '' || (hasTopic && isCommand)) return;
  const known = (hasTopic ? subcommands : ids).map((id) => id.replaceAll(':', ' '));
  const command = hasTopic ? `${topic} ${name}` : topic;
  throw fail('E_COMMAND_UNKNOWN', { command, nearest: nearest(command, known) });
}

/** E_USAGE if a word follows a command without arguments. oclif would look for a command of that name. */
function assertNoExtraWord(argv: readonly string[], commands: Readonly<Record<string, Command.Class>>): void {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = end === -1 ? argv : argv.slice(0, end);
  const length = words.findLastIndex((_, index) => Object.hasOwn(commands, words.slice(0, index + 1).join(':'))) + 1;
  const { args = {} } = commands[words.slice(0, length).join(':')] ?? {};
  const extra = words[length];
  if (length === 0 || extra === undefined || Object.keys(args).length > 0) return;
  throw usageError(`unexpected argument ${extra}`);
}

/** E_PHASE_UNKNOWN. */
function assertPhaseExists(name = '-', commands: Readonly<Record<string, unknown>>): void {
  const phases = Object.keys(commands).flatMap((id) => (id.startsWith('phase:') ? [id.slice('phase:'.length)] : []));
  if (name.startsWith('-') || phases.includes(name)) return;
  throw fail('E_PHASE_UNKNOWN', { phase: name, nearest: nearest(name, phases) });
}

/** Commands by their ID, in which oclif separates words by colons. */
export function allCommands(app: App, described?: DescribedPipeline): Record<string, Command.Class> {
  const commands: Record<string, Command.Class> = {
    run: runCommand(app, described),
    plan: planCommand(app, described),
    resume: resumeCommand(app),
    undo: Undo,
    reset: resetCommand(app),
    doctor: Doctor,
    attach: Attach,
    approve: Approve,
    runs: RunList,
    'runs:show': RunShow,
    'runs:prune': RunPrune,
    phase: PhaseList,
    ...phaseCommands(app),
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
    'certs:upload': CertsUpload,
    'token:create': TokenCreate,
    'token:list': TokenList,
    'token:delete': TokenDelete,
    'token:generate': TokenGenerate,
    'ca-hash': CaHash,
    completion: completionCommand(() => allCommands(app)),
    'fleet:validate': FleetValidate,
    'fleet:plan': FleetPlan,
    'fleet:run': FleetRun,
    'fleet:status': FleetStatusCommand,
    ...fleetActions,
    'fleet:undo': FleetUndo,
    'fleet:ui': FleetUi,
    'sandbox:up': SandboxUp,
    'sandbox:demo': SandboxDemo,
    'sandbox:kubelet': SandboxKubelet,
  };
  return Object.fromEntries(Object.entries(commands).map(([id, command]) => [id, withApp(app, command)]));
}

/** A command for each phase, and for each step of the default pipeline whose ID is not the name of a phase. */
function phaseCommands(app: App): Record<string, Command.Class> {
  const { registry, catalog } = app;
  const pipeline = catalog.open(DEFAULT_PIPELINE);
  const phases = registry.all().map(({ name }) => ({ id: name, uses: name }));
  const steps = pipeline.steps.filter(({ id }) => registry.find(id) === undefined);
  return Object.fromEntries(
    [...phases, ...steps].map((step) => [`phase:${step.id}`, phaseCommand(app, pipeline, step)]),
  );
}
