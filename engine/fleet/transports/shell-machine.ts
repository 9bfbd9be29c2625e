/** A machine that is reached through a program, which runs commands there as root. */
import { closeSync } from 'node:fs';
import { openLimited } from '../../limits/read.ts';
import { fail } from '../../sdk/errors.ts';
import type { CommandResult } from '../../sdk/ports.ts';
import { clean } from '../../sdk/text.ts';
import type { Architecture, CopiedFile, JoinOptions, Machine } from './machine.ts';
import type { RunProgram } from './program.ts';
import { PUT, REACH } from './remote-scripts.ts';

const REACH_TIME_MS = 60_000;
const COPY_TIME_MS = 15 * 60_000;
/** Where the executable is on each machine. */
export const EXECUTABLE = '/opt/joinery/join';

const ARCHITECTURES: Record<string, Architecture> = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' };

/** `run` throws the errors of the transport. `host` is the name of the machine in the fleet. */
export function shellMachine(host: string, run: RunProgram): Machine {
  const script = (text: string, args: readonly string[]) => ['sh', '-c', text, 'joinery', ...args];
  return {
    async reach(signal) {
      const answer = await run({ argv: script(REACH, []), timeMs: REACH_TIME_MS, signal });
      const [uid, user, architecture = '', hostName = ''] = answer.stdout.split('\n').map(clean);
      if (answer.exitCode !== 0 || hostName === '') throw unusable(host, answer, 'cannot run a shell script');
      if (uid !== '0') throw fail('E_FLEET_SUDO', { host, what: `commands run as the user ${user}, not as root` });
      const known = ARCHITECTURES[architecture];
      if (known === undefined)
        throw fail('E_FLEET_EXECUTABLE', { architecture, what: 'Joinery runs on x64 and arm64' });
      return { architecture: known, hostName };
    },
    async put(file, signal) {
      const { path, digest, mode } = file;
      const argv = script(PUT, [path, digest, mode.toString(8)]);
      const answer = await withFile(file, (stdin) => run({ argv, stdin, timeMs: COPY_TIME_MS, signal }));
      const outcome = answer.stdout.trim();
      if (answer.exitCode === 0 && (outcome === 'same' || outcome === 'changed'))
        return { path, changed: outcome === 'changed' };
      throw fail('E_FLEET_COPY', { host, path, what: said(answer) });
    },
    join(args, options) {
      return run(joinRequest([EXECUTABLE, ...args], options));
    },
  };
}

export const joinRequest = (command: readonly string[], { stdin, variables = {}, ...options }: JoinOptions) => {
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const argv = settings.length === 0 ? command : ['env', ...settings, ...command];
  return { argv, ...options, ...(stdin === undefined ? {} : { stdin: stdin.reveal() }) };
};

async function withFile<T>({ source }: CopiedFile, act: (descriptor: number) => Promise<T>): Promise<T> {
  const descriptor = openLimited(source);
  try {
    return await act(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const said = ({ exitCode, stdout, stderr }: CommandResult): string =>
  clean(stderr || stdout) || `exit code ${exitCode}, without a message`;

const unusable = (host: string, answer: CommandResult, what: string) =>
  fail('E_FLEET_UNREACHABLE', { host, what: `the machine ${what}: ${said(answer)}` });
