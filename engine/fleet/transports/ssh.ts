/** The transport `ssh`: the operator's OpenSSH, with its agent, its jump hosts and its known hosts. */
import { fail } from '../../sdk/errors.ts';
import type { Transport } from '../fleet.ts';
import type { Machine } from './machine.ts';
import { failureOf, type ProgramRequest, type RunProgram, runOwnProgram } from './program.ts';
import { shellMachine } from './shell-machine.ts';
import { shellWord, shellWords } from './shell-words.ts';
import type { SshFolder } from './ssh-config.ts';
import { needsLog, type SshTarget, sshError, sshErrorOfLog } from './ssh-failure.ts';

export type SshTransport = Extract<Transport, { kind: 'ssh' }>;

/** Exit code 255 is that of ssh itself, so a command must not end with it. */
const OWN_CODE = '"$@"; code=$?; [ $code -ne 255 ] || code=254; exit $code';
const LOG_TIME_MS = 30_000;

export function sshMachine(host: string, address: string, transport: SshTransport, folder: SshFolder): Machine {
  const target: SshTarget = { host, address, user: transport.user, port: transport.port };
  const run: RunProgram = async (request) => {
    const config = await folder.configFile(transport.configFile);
    const words = ['-F', config, ...destination(address, transport)];
    const answer = await runSsh(target, words, request, transport);
    const error = needsLog(answer)
      ? sshErrorOfLog(target, answer, await verboseLog(words, request.signal))
      : sshError(target, answer);
    if (error !== undefined) throw error;
    return answer;
  };
  return shellMachine(host, run);
}

async function runSsh(
  target: SshTarget,
  words: readonly string[],
  request: ProgramRequest,
  { sudo }: Pick<SshTransport, 'sudo'>,
) {
  const command = sudo ? ['sudo', '-n', '--', ...request.argv] : request.argv;
  try {
    return await runOwnProgram({ ...request, argv: ['ssh', ...words, remoteCommand(command)] });
  } catch (error) {
    const what = failureOf(error);
    if (what === undefined) throw error;
    const { code } = ((error as Error).cause as { code?: string } | undefined) ?? {};
    if (code === 'ENOENT') throw fail('E_PROGRAM_MISSING', { program: 'ssh', package: 'openssh-client' }, error);
    throw fail('E_FLEET_UNREACHABLE', { ...target, what: `ssh: ${what}` }, error);
  }
}

/** A text that the login shell of a user, which must be a POSIX shell, reads as this command. */
export const remoteCommand = (argv: readonly string[]): string =>
  `exec sh -c ${shellWord(OWN_CODE)} joinery ${shellWords(argv)}`;

function destination(address: string, { user, port, identityFile, jump }: SshTransport): string[] {
  return [
    '-T',
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', `${port}`]),
    ...(identityFile === undefined ? [] : ['-i', identityFile, '-o', 'IdentitiesOnly=yes']),
    ...(jump === undefined ? [] : ['-J', jump]),
    '--',
    address,
  ];
}

/** What ssh prints if it explains itself. */
async function verboseLog(words: readonly string[], signal: AbortSignal): Promise<string> {
  const argv = ['ssh', '-v', '-o', 'LogLevel=DEBUG1', '-o', 'ControlPath=none', ...words, 'exit'];
  return runOwnProgram({ argv, timeMs: LOG_TIME_MS, signal }).then(
    ({ stderr }) => stderr,
    () => '',
  );
}

/** Ends the connections that ssh has kept open. */
export async function closeConnections(folder: SshFolder): Promise<void> {
  const { signal } = new AbortController();
  const close = (socket: string) =>
    runOwnProgram({ argv: ['ssh', '-F', 'none', '-S', socket, '-O', 'exit', 'joinery'], timeMs: LOG_TIME_MS, signal });
  await Promise.allSettled((await folder.sockets()).map(close));
  await folder.remove();
}
