/** Runs a command: one that asks, or one that changes the machine and says how that is taken back. */
import { clean, definePhase, fail, type Ports, runs } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'command',
  summary: 'Run a command, without a shell',
  input,
  output,
  effects: [
    runs('{argv.0}', 'the command'),
    runs('{unless.0}', 'whether it is done already'),
    runs('{undo.0}', 'when it is undone'),
  ],

  async run(ports, { argv, query, undo, irreversible, creates, unless, ...given }) {
    const { commands } = ports;
    const limits = { timeMs: given.timeoutSeconds * 1_000, outputBytes: given.outputKib << 10 };
    const variables = Object.entries(given.environment ?? {}).map(([name, value]) => [name, value.reveal()]);
    const environment = Object.fromEntries(variables);
    const problems = [undo !== undefined, irreversible !== undefined, query].filter(Boolean).length;
    if (problems !== 1)
      throw fail('E_PHASE_INPUT', {
        phase: 'command',
        problems: ['one of undo, irreversible and query must say what comes of it, and no other'],
      });
    if (await isDone(ports, creates, unless, environment)) return { ran: false };
    if (query) {
      const { exitCode, stdout, stderr } = await commands.query(argv, environment, limits);
      if (exitCode !== 0)
        throw fail('E_COMMAND_FAILED', { command: argv.join(' '), exitCode, output: clean(stderr || stdout) });
      return { ran: true, stdout, stderr };
    }
    const way = undo === undefined ? { irreversible: irreversible ?? '' } : { undo };
    await commands.run(argv, way, environment, limits);
    return { ran: true };
  },
});

async function isDone(
  { files, commands, log }: Ports,
  creates: string | undefined,
  unless: readonly string[] | undefined,
  environment: Record<string, string>,
): Promise<boolean> {
  if (creates !== undefined && (await files.stat(creates)) !== undefined) {
    log.info(`nothing to do: ${creates} is there`);
    return true;
  }
  if (unless === undefined || (await commands.query(unless, environment)).exitCode !== 0) return false;
  log.info(`nothing to do: ${unless.join(' ')} says so`);
  return true;
}
