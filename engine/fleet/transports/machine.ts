/** One machine, as the fleet reaches it. */
import type { CommandResult } from '../../sdk/ports.ts';
import type { Secret } from '../../sdk/secret.ts';

export interface Reached {
  architecture: Architecture;
  hostName: string;
}

export type Architecture = 'x64' | 'arm64';

/** A file of the operator that the machine needs. */
export interface CopiedFile {
  /** Its path on the operator's machine. */
  source: string;
  /** SHA-256, in hexadecimal. */
  digest: string;
  /** Its path on the machine. Only root may write in its folder. */
  path: string;
  mode: number;
}

export interface JoinOptions {
  /** Standard input: it is on no command line, in no variable and in no file. */
  stdin?: Secret;
  /** Environment variables, such as JOINERY_NODE_NAME. They are not secret. */
  variables?: Readonly<Record<string, string>>;
  timeMs: number;
  /** Gets each line of standard output as it comes. The result then has no standard output. */
  onLine?: (line: string) => void;
  signal: AbortSignal;
}

/** Each method throws E_FLEET_UNREACHABLE, E_FLEET_HOST_KEY, E_FLEET_AUTH, E_FLEET_SUDO or E_PROGRAM_MISSING. */
export interface Machine {
  /** E_FLEET_SUDO unless commands run there as root. */
  reach(signal: AbortSignal): Promise<Reached>;
  /** Returns the path of the file, and whether it had to be copied. E_FLEET_COPY. */
  put(file: CopiedFile, signal: AbortSignal): Promise<{ path: string; changed: boolean }>;
  /** Runs Joinery's command on the machine. Resolves for any exit code. */
  join(args: readonly string[], options: JoinOptions): Promise<CommandResult>;
}
