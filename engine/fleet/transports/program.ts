/** Programs on the operator's machine that lead to another machine, such as ssh. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ProgramFailure, runProgram } from '../../host/program.ts';
import type { CommandResult } from '../../sdk/ports.ts';

/** The log of a run has at most 16 MiB, and JSON that is safe for terminals is longer. */
export const OUTPUT_BYTES_MAX = 64 << 20;

export interface ProgramRequest {
  argv: readonly string[];
  /** Standard input: a text, or the descriptor of an open file (default: empty). */
  stdin?: string | number;
  timeMs: number;
  onLine?: (line: string) => void;
  signal: AbortSignal;
}

/** Runs a program on the machine. Resolves for any exit code. */
export type RunProgram = (request: ProgramRequest) => Promise<CommandResult>;

/** Why a program did not come to its end; undefined for other errors. */
export const failureOf = (error: unknown): string | undefined =>
  error instanceof ProgramFailure ? error.message : undefined;

/** Runs a program of the operator's PATH. Throws a `ProgramFailure`, or the reason of the signal. */
export function runOwnProgram({ argv, ...request }: ProgramRequest, environment = ownEnvironment()) {
  const [program = '', ...args] = argv;
  const options = { ...request, directory: undefined, environment, outputBytes: OUTPUT_BYTES_MAX };
  return runProgram(pathOf(program), args, options);
}

/** The environment of the operator, such as SSH_AUTH_SOCK. Messages of programs are in English. */
export const ownEnvironment = (): Record<string, string> => ({
  ...(process.env as Record<string, string>),
  LC_ALL: 'C',
});

/** A program that is not found keeps its name, so that the error names it. */
function pathOf(program: string): string {
  if (program.includes('/')) return program;
  const folders = (process.env.PATH ?? '/usr/bin:/bin').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable) ?? program;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
