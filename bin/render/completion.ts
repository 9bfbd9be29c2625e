/** Completions for shells, generated from the commands. They complete commands, flags, and the options of flags. */
import type { Command } from '@oclif/core';

export type Shell = 'bash' | 'zsh' | 'fish';

/** The names under which Joinery is installed. */
const PROGRAMS = ['join', 'joinery'];

interface CompletedFlag {
  name: string;
  char?: string;
  description: string;
  /** Whether the next word is its value. */
  hasValue: boolean;
  options: readonly string[];
}

interface CompletedCommand {
  /** Its words, such as `runs show`. Empty for the program itself. */
  path: string;
  /** The words that can follow. */
  next: readonly string[];
  summary: string;
  flags: readonly CompletedFlag[];
}

/** `programs` are the names that the shell completes. */
export function completionText(
  shell: Shell,
  commands: Readonly<Record<string, Command.Class>>,
  programs: readonly string[] = PROGRAMS,
): string {
  const completed = completedCommands(commands);
  if (shell === 'fish') return fishText(completed, programs);
  const zsh = [`#compdef ${programs.join(' ')}`, 'autoload -U +X bashcompinit && bashcompinit', ''];
  return [...(shell === 'zsh' ? zsh : []), bashText(completed, programs)].join('\n');
}

/** Commands and topics, in order. */
function completedCommands(commands: Readonly<Record<string, Command.Class>>): CompletedCommand[] {
  const visible = Object.entries(commands).filter(([, { hidden }]) => hidden !== true);
  const ids = visible.map(([id]) => id.split(':'));
  const paths = new Set(['', ...ids.flatMap((words) => words.map((_, index) => words.slice(0, index + 1).join(' ')))]);
  return [...paths].sort().map((path) => {
    const command = commands[path.replaceAll(' ', ':')];
    const depth = path === '' ? 0 : path.split(' ').length;
    const next = ids.filter((words) => words.length > depth && words.slice(0, depth).join(' ') === path);
    const flags = Object.entries((command?.flags ?? {}) as Record<string, FlagOfCommand>);
    return {
      path,
      next: [...new Set(next.map((words) => words[depth] ?? ''))],
      summary: command?.summary ?? '',
      flags: flags.filter(([, { hidden }]) => hidden !== true).map(([name, flag]) => completedFlag(name, flag)),
    };
  });
}

type FlagOfCommand = {
  type: string;
  char?: string;
  description?: string;
  helpValue?: string;
  options?: readonly string[];
  hidden?: boolean;
};

function completedFlag(name: string, { type, char, description = '', helpValue = '', options }: FlagOfCommand) {
  const named = /^[a-z]+(\|[a-z]+)+$/.test(helpValue) ? helpValue.split('|') : [];
  const [first = ''] = description.split('\n');
  const flag = { name, description: first, hasValue: type !== 'boolean', options: options ?? named };
  return char === undefined ? flag : { ...flag, char };
}

const spellings = ({ name, char }: CompletedFlag): string[] => [
  `--${name}`,
  ...(char === undefined ? [] : [`-${char}`]),
];

function bashText(commands: readonly CompletedCommand[], programs: readonly string[]): string {
  const known = commands.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const values = commands.flatMap(({ path, flags }) =>
    flags
      .filter(({ options }) => options.length > 0)
      .map((flag) => {
        const patterns = spellings(flag).map((spelling) => `'${`${path} ${spelling}`.trimStart()}'`);
        return `    ${patterns.join('|')}) words='${flag.options.join(' ')}' ;;`;
      }),
  );
  const valued = new Set(commands.flatMap(({ flags }) => flags.filter(({ hasValue }) => hasValue).flatMap(spellings)));
  const words = commands.map(({ path, next, flags }) => {
    const flagWords = flags.map(({ name }) => `--${name}`);
    return `    '${path}') words='${[...next, ...flagWords, '--help'].join(' ')}' ;;`;
  });
  return `# Completion of join. In bash: source <(join completion bash)
_join() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "\${path:+$path }$word" in
    ${known.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "\${path:+$path }$previous" in
${values.join('\n')}
    *)
      case "$previous" in
      ${[...valued].sort().join('|')}) COMPREPLY=(); return ;;
      esac
      case "$path" in
${words.join('\n')}
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _join ${programs.join(' ')}`;
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fishFlag({ name, char, description, hasValue, options }: CompletedFlag): string {
  const short = char === undefined ? '' : ` -s ${char}`;
  const value = options.length > 0 ? ` -x -a ${quoted(options.join(' '))}` : ' -r';
  return `-l ${name}${short}${hasValue ? value : ''} -d ${quoted(description)}`;
}

function fishText(commands: readonly CompletedCommand[], [program, ...others]: readonly string[]): string {
  const summaries = new Map(commands.map(({ path, summary }) => [path, summary]));
  const lines = commands.flatMap(({ path, next, flags }) => {
    const here = `complete -c ${program} -n ${quoted(`__join_at ${path}`.trimEnd())}`;
    return [
      ...next.map((word) => `${here} -f -a ${word} -d ${quoted(summaries.get(`${path} ${word}`.trimStart()) ?? '')}`),
      ...flags.map((flag) => `${here} ${fishFlag(flag)}`),
    ];
  });
  return `# Completion of join. In fish: join completion fish | source
function __join_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l path (string match --invert -- '-*' $words)
    test (count $path) -ge (count $argv); or return 1
    test (count $argv) -eq 0; and test (count $path) -eq 0; and return 0
    test (count $argv) -gt 0; and test "$path[1..(count $argv)]" = "$argv"
end
${[...lines, ...others.map((other) => `complete -c ${other} -w ${program}`)].join('\n')}`;
}
