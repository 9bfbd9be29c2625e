/** Programs of the machine: found on its PATH, and run with a small environment and limits of time and output. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../sdk/errors.ts';
import type { CommandResult } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';
import { realDescriptors, realPath } from './descend.ts';
import { ProgramFailure, runProgram } from './program.ts';
import type { CommandOptions } from './query.ts';

const TIME_LIMIT_MS = 30_000;
const OUTPUT_BYTES_MAX = 1 << 20;
const ROOTED_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export class MachineCommands {
  readonly #root: string;
  readonly #directories: string[];
  readonly #environment: Record<string, string>;
  readonly #timeLimitMs: number;

  /** Below a root other than `/`, only the programs there are run. JOINERY_ROOT tells them the root. */
  constructor(root: string, timeLimitMs: number = TIME_LIMIT_MS) {
    this.#root = root;
    this.#timeLimitMs = timeLimitMs;
    const path = process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin';
    this.#directories =
      root === '/' ? path.split(':').filter(Boolean) : ROOTED_PATH.map((directory) => join(root, directory));
    this.#environment = {
      PATH: root === '/' ? path : `${this.#directories.join(':')}:${path}`,
      HOME: process.env.HOME ?? '/root',
      LANG: 'C',
      ...(root === '/' ? {} : { JOINERY_ROOT: root }),
    };
  }

  async find(program: string): Promise<string | undefined> {
    if (program.includes('/')) return undefined; // the name of a file, which PATH says nothing about
    return this.#directories
      .map((directory) => join(directory, program))
      .find((path) => isExecutable(this.#realProgram(path)));
  }

  /**
   * Below a root, absolute links and paths begin there, as they would on the machine: a program of the host is never
   * run in the place of the machine's.
   */
  #realProgram(path: string): string {
    if (this.#root === '/') return path;
    const below = path.startsWith(join(this.#root, '/')) ? path.slice(this.#root.length) : path;
    return join(this.#root, realPath({ root: this.#root, descriptors: realDescriptors }, join('/', below)));
  }

  /** Resolves for any exit code. E_COMMAND_FAILED if the program cannot be started or does not end in time. */
  async run(
    argv: readonly string[],
    signal: AbortSignal,
    { directory, environment = {}, limits = {} }: CommandOptions = {},
  ): Promise<CommandResult> {
    const [program = '', ...args] = argv;
    const command = argv.join(' ');
    const found = program.startsWith('/') ? program : await this.find(program);
    const path = found && this.#realProgram(found);
    if (path === undefined) throw fail('E_COMMAND_FAILED', { command, output: `no ${program} on PATH` });
    const { timeMs = this.#timeLimitMs, outputBytes = OUTPUT_BYTES_MAX } = limits;
    const all = { ...environment, ...this.#environment };
    return runProgram(path, args, { directory, environment: all, timeMs, outputBytes, signal }).catch((error) => {
      if (!(error instanceof ProgramFailure)) throw error;
      throw fail('E_COMMAND_FAILED', { command, output: error.message }, error.cause ?? error);
    });
  }

  /** Like `run`, but E_COMMAND_FAILED unless the program exits 0. */
  async must(argv: readonly string[], signal: AbortSignal, options: CommandOptions = {}): Promise<void> {
    const { exitCode, stdout, stderr } = await this.run(argv, signal, options);
    if (exitCode !== 0)
      throw fail('E_COMMAND_FAILED', { command: argv.join(' '), exitCode, output: clean(stderr || stdout) });
  }
}

/** Synchronous, because a preflight checks a hundred paths, and a thread for each costs more than the check. */
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
