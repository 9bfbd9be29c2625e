/** `/etc/joinery/config.yaml`: defaults that the owner of a machine sets for every run on it. */
import { join } from 'node:path';
import { valuesOfFlag } from './raw-flags.ts';
import { trustedText } from './trusted-text.ts';
import type { MachineConfig } from './values.ts';

/** Commands that run or undo something. No other command reads the file. */
const COMMANDS = ['run', 'plan', 'resume', 'undo', 'reset', 'pipeline explain'];
const PATH = 'etc/joinery/config.yaml';
const EMPTY: MachineConfig = { values: {}, environments: [] };

/**
 * What the file says on the machine of this command line. `--root` chooses the machine, and so the file. Empty without
 * the file, and for the help. E_MACHINE_CONFIG, E_FILE_UNTRUSTED, E_FILE.
 */
export async function machineConfig(argv: readonly string[]): Promise<MachineConfig> {
  const isRead = COMMANDS.some((command) => command.split(' ').every((word, index) => argv[index] === word));
  if (!isRead || argv.includes('--help') || argv.includes('-h')) return EMPTY;
  const file = join(valuesOfFlag('--root', argv).at(-1) ?? '/', PATH);
  const text = trustedText(file);
  if (text === undefined) return EMPTY;
  const { parseMachineConfig } = await import('./machine-config-file.ts'); // late, because most machines have no file
  return parseMachineConfig(file, text);
}

/** The environments of a command line: those of `--env` or, without the flag, those of the file. */
export function environmentsOf(argv: readonly string[], { environments }: MachineConfig): string[] {
  const typed = valuesOfFlag('--env', argv);
  return typed.length > 0 ? typed : environments.map(({ name }) => name);
}

/** The command line with `--output` and `--color` of the file before its own flags, which win. */
export function withMachineFlags(argv: readonly string[], { output, color }: MachineConfig): string[] {
  if (output === undefined && color === undefined) return [...argv];
  const { NO_COLOR = '', FORCE_COLOR } = process.env;
  const [topic = '', ...rest] = argv;
  if (topic === 'pipeline') return [...argv];
  const isColourChosen = NO_COLOR !== '' || FORCE_COLOR !== undefined;
  return [
    topic,
    ...(output === undefined ? [] : ['--output', output]),
    ...(color === undefined || isColourChosen ? [] : ['--color', color]),
    ...rest,
  ];
}
