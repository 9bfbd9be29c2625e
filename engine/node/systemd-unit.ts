/**
 * The command of a systemd service, as systemd reads its unit and drop-ins. Source: systemd.syntax(7), systemd.exec(5)
 * and systemd.service(5).
 */

/** One assignment of a section, and the file that it is in, if the text says that. */
interface Assignment {
  key: string;
  value: string;
  file: string | undefined;
}

export interface UnitCommand {
  /** The line that systemd runs, unexpanded. Undefined if absent. */
  line: string | undefined;
  /** The file that has the line. */
  file: string | undefined;
  /** How many commands the unit has. systemd refuses a second one, unless an empty ExecStart= is before it. */
  count: number;
  /** The words of the line with the variables that the unit sets; quotes and backslashes are gone. */
  words: string[];
  /** The files with variables that the unit reads. */
  environmentFiles: string[];
}

/**
 * Reads what `systemctl cat` prints: the unit file and its drop-ins in the order in which systemd applies them. `read`
 * gives the text of a file with variables.
 */
export async function unitCommand(
  text: string,
  read: (path: string) => Promise<string | undefined>,
): Promise<UnitCommand> {
  const service = assignments(text);
  const commands = listOf(service, 'ExecStart');
  const last = commands.at(-1);
  const environmentFiles = listOf(service, 'EnvironmentFile').map(({ value }) => value.replace(/^-/, ''));
  const variables = new Map(listOf(service, 'Environment').flatMap(({ value }) => wordsOf(value).flatMap(variableOf)));
  for (const path of environmentFiles)
    for (const line of joinedLines((await read(path)) ?? '')) {
      const [found] = variableOf(unquoted(line.trim()));
      if (found !== undefined && !/^[#;]/.test(line)) variables.set(...found);
    }
  return {
    line: last?.value,
    file: last?.file,
    count: commands.length,
    words: commandWords(last?.value ?? '', variables),
    environmentFiles,
  };
}

/** The value of the last `--name=value` or `--name value` in a command. */
export function argumentIn(words: readonly string[], name: string): string | undefined {
  const index = words.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const word = words[index];
  return word === `--${name}` ? words[index + 1] : word?.slice(`--${name}=`.length);
}

/** The line that `systemctl cat` prints before each file. An owner's comment may begin with another path. */
const FILE_HEADER = /^# (\/\S+\.(?:service|conf))$/;

/** The assignments of all [Service] sections, in order. */
function assignments(text: string): Assignment[] {
  const found: Assignment[] = [];
  let section = '';
  let file: string | undefined;
  for (const line of joinedLines(text)) {
    const [, path] = FILE_HEADER.exec(line) ?? [];
    if (path !== undefined) {
      file = path;
      section = '';
    } else if (/^\s*\[/.test(line)) section = line.trim();
    else if (section === '[Service]' && line.includes('=')) {
      const at = line.indexOf('=');
      found.push({ key: line.slice(0, at).trim(), value: line.slice(at + 1).trim(), file });
    }
  }
  return found;
}

/** The lines without comments, except the names of files; a backslash continues a line, even over comments. */
function joinedLines(text: string): string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) {
      if (open === undefined && FILE_HEADER.test(line)) lines.push(line);
      continue;
    }
    const whole: string = open === undefined ? line : `${open} ${line}`;
    open = whole.endsWith('\\') ? whole.slice(0, -1) : undefined;
    if (open === undefined) lines.push(whole);
  }
  return open === undefined ? lines : [...lines, open];
}

/** The values of a setting that may be repeated. An empty one resets the list. */
function listOf(service: readonly Assignment[], key: string): Assignment[] {
  const all = service.filter((each) => each.key === key);
  return all.slice(all.findLastIndex(({ value }) => value === '') + 1);
}

const wordsOf = (text: string): string[] => (text.match(/(?:[^\s"']|"(?:\\.|[^"\\])*"|'[^']*')+/g) ?? []).map(unquoted);
const unquoted = (word: string): string => word.replace(/(["'])(.*?)\1/g, '$2');
/** Also the words of a quoted script, as of `sh -c`. */
const flatWords = (line: string): string[] => line.replace(/["']/g, '').split(/\s+/).filter(Boolean);

function variableOf(text: string): [name: string, value: string][] {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  return name === undefined || value === undefined ? [] : [[name, value]];
}

/** systemd splits the value of `$A` into words, and passes a word with `${A}` as one. A shell splits both. */
function commandWords(line: string, variables: ReadonlyMap<string, string>): string[] {
  if (SCRIPT.test(line)) return flatWords(line).flatMap((word) => flatWords(expanded(word, variables)));
  return wordsOf(line).flatMap((word) => {
    const text = expanded(word, variables);
    return word.includes('${') ? [text] : flatWords(text);
  });
}

const SCRIPT = /(?:^|[\s/])(?:ba|da)?sh\s+-\w*c\s/;

/** Variables that the unit does not set stay. */
const expanded = (word: string, variables: ReadonlyMap<string, string>): string =>
  word.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced, bare) => variables.get(braced ?? bare) ?? whole);
