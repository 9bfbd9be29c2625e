/** The manual pages: one for each command, generated from the texts of its help. */
import type { Command } from '@oclif/core';
import pjson from '../../package.json' with { type: 'json' };

/** What help prints of a flag or an argument. */
interface Item {
  description?: string;
  helpValue?: string;
  type?: string;
  char?: string;
  options?: readonly string[];
  required?: boolean;
  hidden?: boolean;
}

const NAME = 'joinery';

/** File name → page, for section 1. `date` is the day of the release, such as `2026-11-30`. */
export function manualPages(commands: Readonly<Record<string, Command.Class>>, date: string): Record<string, string> {
  const visible = Object.entries(commands).filter(([, { hidden }]) => hidden !== true);
  const ids = visible.map(([id]) => id).sort();
  const head = (page: string) => `.TH ${page.toUpperCase()} 1 "${date}" "Joinery ${pjson.version}" "Joinery"\n`;
  const pages = visible.map(([id, command]) => {
    const page = pageOf(id);
    return [`${page}.1`, head(page) + commandPage(id, command)];
  });
  const overview = [
    ['NAME', `${NAME} \\- ${text(pjson.description)}`],
    ['SYNOPSIS', `.B ${NAME}\n\\fICOMMAND\\fR [\\fIARGUMENT\\fR]... [\\fIOPTION\\fR]...`],
    ['COMMANDS', visible.map(([id, { summary = '' }]) => `.TP\n.B ${text(wordsOf(id))}\n${text(summary)}`).join('\n')],
    ['SEE ALSO', ids.map((id) => `.BR ${pageOf(id)} (1)`).join(',\n')],
  ];
  return Object.fromEntries([...pages, [`${NAME}.1`, head(NAME) + sections(overview)]]);
}

const wordsOf = (id: string): string => id.replaceAll(':', ' ');
const pageOf = (id: string): string => `${NAME}-${id.replaceAll(':', '-')}`;

function commandPage(id: string, { args = {}, flags = {}, summary = '', description, examples = [] }: Command.Class) {
  const visible = (items: object) =>
    Object.entries(items as Record<string, Item>).filter(([, { hidden }]) => hidden !== true);
  const argumentNames = visible(args).map(([name, { required }]) => {
    const shown = `\\fI${text(name.toUpperCase())}\\fR`;
    return required === true ? shown : `[${shown}]`;
  });
  const synopsis = ['.B', `${NAME} ${wordsOf(id)}`].join(' ');
  const options = visible(flags).sort(([a], [b]) => (a < b ? -1 : 1));
  return sections([
    ['NAME', `${pageOf(id)} \\- ${text(summary)}`],
    [
      'SYNOPSIS',
      `${synopsis}\n${[...argumentNames, ...(options.length === 0 ? [] : ['[\\fIOPTION\\fR]...'])].join(' ')}`,
    ],
    ['DESCRIPTION', description === undefined ? '' : paragraphs(named(description))],
    [
      'ARGUMENTS',
      visible(args)
        .map(([name, item]) => entry(`\\fI${text(name.toUpperCase())}\\fR`, item))
        .join('\n'),
    ],
    ['OPTIONS', options.map(([name, item]) => entry(optionName(name, item), item)).join('\n')],
    ['EXAMPLES', examples.map((each) => `.nf\n${text(named(exampleText(each)))}\n.fi`).join('\n.sp\n')],
    ['SEE ALSO', `.BR ${NAME} (1)`],
  ]);
}

/** Sections without text are omitted. */
const sections = (parts: readonly (readonly string[])[]): string =>
  parts.flatMap(([title, body = '']) => (body.trim() === '' ? [] : [`.SH ${title}\n${body}\n`])).join('');

const entry = (name: string, { description = '' }: Item): string => `.TP\n${name}\n${text(description)}`;

function optionName(name: string, { char, type, options, helpValue }: Item): string {
  const value = type === 'boolean' ? '' : `=\\fI${text(options?.join('|') ?? helpValue ?? 'VALUE')}\\fR`;
  return `${char === undefined ? '' : `\\fB\\-${char}\\fR, `}\\fB\\-\\-${text(name)}\\fR${value}`;
}

const exampleText = (example: Command.Example): string =>
  typeof example === 'string' ? example : [example.description ?? '', example.command].join('\n').trim();

const named = (value: string): string => value.replace(/<%= *config\.bin *%>/g, NAME);

const paragraphs = (value: string): string => text(value).replace(/\n\n+/g, '\n.PP\n');

/** Text as roff: hyphens can be copied, and no line begins with a request. */
const text = (value: string): string =>
  value
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
