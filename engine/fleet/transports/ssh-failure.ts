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
export const SSH_FAILED = 255;

/** Whether ssh ended because it does not know the key of the machine, or of a jump host. */
export const isHostKeyFailure = ({ exitCode, stderr }: CommandResult): boolean =>
  exitCode === SSH_FAILED && /host key verification failed/i.test(stderr);

/** `log` is what `ssh -v` prints. The last key is that of the machine where it ended. */
export function hostKeyError({ host, address, port }: SshTarget, { stderr }: CommandResult, log: string): JoinError {
  const [, type, digest] = [...log.matchAll(/Server host key: (\S+) (\S+)/g)].at(-1) ?? [];
  const state = /IDENTIFICATION HAS CHANGED/.test(stderr) ? 'changed' : 'unknown';
  const fingerprint = type === undefined || digest === undefined ? undefined : clean(`${type} ${digest}`);
  return fail('E_FLEET_HOST_KEY', { host, address, port, fingerprint, state });
}

/** The error of a command that ssh or sudo did not run; undefined if it ran. */
export function sshError(target: SshTarget, { exitCode, stderr }: CommandResult): JoinError | undefined {
  const { host } = target;
  const lines = stderr.split('\n').map(clean).filter(Boolean);
  const last = lines.at(-1) ?? 'it ended without a message';
  if (exitCode === SSH_FAILED)
    return /permission denied|too many authentication failures/i.test(stderr)
      ? fail('E_FLEET_AUTH', { ...target, what: last })
      : fail('E_FLEET_UNREACHABLE', { ...target, what: last });
  const ofSudo = lines.find((line) => /^sudo: |\bsudo: (command )?not found/.test(line));
  if (ofSudo !== undefined && (exitCode === 1 || exitCode === 127)) return fail('E_FLEET_SUDO', { host, what: ofSudo });
  return undefined;
}
