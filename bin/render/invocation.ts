/** How the user called this program, so that each command in a hint can be pasted as it stands. */
import { statSync } from 'node:fs';
import { basename, delimiter, join, relative } from 'node:path';
import { valuesOfFlag } from '../inputs/raw-flags.ts';

export interface Call {
  /** Path of the program, as Node has resolved it. Default: its bare name is enough to call it. */
  program?: string;
  argv?: readonly string[];
}

/** What a shell knows that calls a program. */
export interface Shell {
  cwd: string;
  environment: Readonly<Record<string, string | undefined>>;
}

/** The first words of Joinery's commands. */
const FIRST_WORDS =
  'approve|attach|ca-hash|certs|completion|config|doctor|fleet|help|phase|pipeline|plan|plugin|reset|resume|run|runs|' +
  'sandbox|token|undo';
/**
 * In a hint, a command of Joinery ends with its line. kubeadm has some of the same names, and a path is another
 * program.
 */
const COMMAND = new RegExp(`(?<!kubeadm |/)\\bjoin ((?:${FIRST_WORDS})\\b.*)$`, 'gm');
/** Commands that act on a machine take `--root`, and commands that act on a cluster take `--kubeconfig`. */
const ON_MACHINE = /^(approve|attach|doctor|phase \S|pipeline explain|plan|reset|resume|runs?|undo)\b/;
const ON_CLUSTER = /^(certs upload|token (create|delete|list))\b/;

export class Invocation {
  readonly #call: Call;

  constructor(call: Call = {}) {
    this.#call = call;
  }

  /** The hint with the program's name and with the flags that its commands need, too. */
  hint(text: string): string {
    const { program, argv = [] } = this.#call;
    return text.replace(COMMAND, (_, command: string) => {
      const name =
        program === undefined ? 'join' : programName(program, { cwd: process.cwd(), environment: process.env });
      return [name, command, ...placeFlag(command, argv)].join(' ');
    });
  }
}

/** The flag that says which machine or cluster the command is about, if the user gave it. */
function placeFlag(command: string, argv: readonly string[]): string[] {
  if (command.endsWith(' --help') || !(ON_MACHINE.test(command) || ON_CLUSTER.test(command))) return [];
  const flag = ON_MACHINE.test(command) ? '--root' : '--kubeconfig';
  const value = valuesOfFlag(flag, argv).at(-1);
  return value === undefined ? [] : [flag, quoted(value)];
}

const NPM_FOLDER = '/node_modules/.bin';

/** The name alone if a shell finds this program by it. The `join` that it finds may be that of coreutils. */
export function programName(program: string, { cwd, environment }: Shell): string {
  const name = basename(program);
  if (environment.npm_command === 'exec' && program.includes(`${NPM_FOLDER}/`)) return `npx ${name}`;
  // npm puts folders on the PATH that the user's shell does not have.
  const folders = (environment.PATH ?? '').split(delimiter).filter((path) => path !== '' && !path.endsWith(NPM_FOLDER));
  const found = folders.map((folder) => fileAt(join(folder, name))).find((file) => file !== undefined);
  if (found !== undefined && found === fileAt(program)) return name;
  const near = relative(cwd, program);
  if (near.startsWith('..')) return quoted(program);
  return quoted(near.includes('/') ? near : `./${near}`);
}

/** Identifies the file that a path leads to. */
function fileAt(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true ? `${stats.dev}:${stats.ino}` : undefined;
}

/** As a word of a shell. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
