/** Runs a command: a query, or a change that declares how it is undone. */
import { clean, definePhase, fail, type Ports, runs } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'command',
  summary: 'Run a command, without a shell',
  input,
  output,
  effects: [
    runs('{argv.0}', 'the command'),
    runs('{unless.0}', 'the check whether the work is already done'),
    runs('{undo.0}', 'on undo'),
  ],

  async run(ports, { argv, query, undo, irreversible, creates, unless, ...inputs }) {
    const { commands } = ports;
    const limits = { timeMs: inputs.timeoutSeconds * 1_000, outputBytes: inputs.outputKib << 10 };
    const variables = Object.entries(inputs.environment ?? {}).map(([name, value]) => [name, value.reveal()]);
    const environment = Object.fromEntries(variables);
    const declared = [undo !== undefined, irreversible !== undefined, query].filter(Boolean).length;
    if (declared !== 1)
      throw fail('E_PHASE_INPUT', {
        phase: 'command',
        problems: ['needs exactly one of: undo, irreversible, query'],
      });
    if (await isDone(ports, creates, unless, environment)) return { ran: false };
    if (query) {
      const { exitCode, stdout, stderr } = await commands.query(argv, environment, limits);
      if (exitCode !== 0)
        throw fail('E_COMMAND_FAILED', { command: argv.join(' '), exitCode, output: clean(stderr || stdout) });
      return { ran: true, stdout, stderr };
    }
    if (undo !== undefined) await warnIfMissing(ports, undo[0] ?? '');
    const reversal = undo === undefined ? { irreversible: irreversible ?? '' } : { undo };
    await commands.run(argv, reversal, environment, limits);
    return { ran: true };
  },
});

/** The change can be undone later if the program is installed by then. */
async function warnIfMissing({ commands, files, log }: Ports, program: string): Promise<void> {
  const found = program.includes('/') ? await files.stat(program) : await commands.find(program);
  if (found === undefined) log.warn(`${program} is not installed, so an undo of this command would fail`);
}

async function isDone(
  { files, commands, log }: Ports,
  creates: string | undefined,
  unless: readonly string[] | undefined,
  environment: Record<string, string>,
): Promise<boolean> {
  if (creates !== undefined && (await files.stat(creates)) !== undefined) {
    log.info(`nothing to do: ${creates} already exists`);
    return true;
  }
  if (unless === undefined || (await commands.query(unless, environment)).exitCode !== 0) return false;
  log.info(`nothing to do: ${unless.join(' ')} exited with 0`);
  return true;
}
