/** Why ssh, or sudo on the machine, did not run a command: errors from what they print. */

import type { JoinError } from '../../sdk/errors/join-error.ts';
import { fail } from '../../sdk/errors.ts';
import type { CommandResult } from '../../sdk/ports.ts';
import { clean } from '../../sdk/text.ts';

export interface SshTarget {
  /** Name of the machine in the fleet. */
  host: string;
  address: string;
  user: string | undefined;
  port: number | undefined;
}

/** The exit code with which ssh reports its own failure. */
const SSH_FAILED = 255;

/** sudo also prints warnings, such as that it cannot resolve the name of the host. */
const SUDO_REFUSES =
  /^sudo: (a (password|terminal) is required|.*must have a tty|.*account)|sudo: (command )?not found|not (in the sudoers file|allowed to (run sudo|execute))/;

/**
 * Whether only the log of ssh says why it ended: which key the machine has, or what failed at a jump host, whose
 * messages ssh hides if connections are shared.
 */
export const needsLog = ({ exitCode, stderr }: CommandResult): boolean =>
  exitCode === SSH_FAILED && /host key verification failed|kex_exchange_identification|UNKNOWN port/i.test(stderr);

/** The error of ssh. `log` is what `ssh -v` prints when it tries again. */
export function sshErrorOfLog(target: SshTarget, answer: CommandResult, log: string): JoinError | undefined {
  const stderr = log.replace(/^(debug\d: |OpenSSH_).*\n?/gm, '');
  if (/host key verification failed/i.test(stderr)) return hostKeyError(target, stderr, log);
  return sshError(target, stderr.trim() === '' ? answer : { ...answer, stderr });
}

/** The last address and key in the log are those of the machine, or jump host, where it ended. */
function hostKeyError(target: SshTarget, stderr: string, log: string): JoinError {
  const [, where, whichPort] = [...log.matchAll(/Authenticating to (\S+):(\d+) as /g)].at(-1) ?? [];
  const [, type, digest] = [...log.matchAll(/Server host key: (\S+) (\S+)/g)].at(-1) ?? [];
  return fail('E_FLEET_HOST_KEY', {
    host: target.host,
    address: where === undefined ? target.address : clean(where),
    port: whichPort === undefined ? target.port : Number(whichPort),
    fingerprint: type === undefined || digest === undefined ? undefined : clean(`${type} ${digest}`),
    state: /IDENTIFICATION HAS CHANGED/.test(stderr) ? 'changed' : 'unknown',
  });
}

/** The error of a command that ssh or sudo did not run; undefined if it ran. */
export function sshError(target: SshTarget, { exitCode, stderr }: CommandResult): JoinError | undefined {
  const lines = stderr.split('\n').map(clean).filter(Boolean);
  const lineWith = (pattern: RegExp) => lines.find((line) => pattern.test(line));
  if (exitCode === SSH_FAILED) {
    const refusal = lineWith(/permission denied|too many authentication failures/i);
    if (refusal !== undefined) return fail('E_FLEET_AUTH', { ...target, what: refusal });
    return fail('E_FLEET_UNREACHABLE', { ...target, what: lines.at(-1) ?? 'it ended without a message' });
  }
  const refusal = exitCode === 1 || exitCode === 127 ? lineWith(SUDO_REFUSES) : undefined;
  return refusal === undefined ? undefined : fail('E_FLEET_SUDO', { host: target.host, what: refusal });
}
