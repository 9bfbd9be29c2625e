/** Ansible inventories in INI form. */
import { LineCounter } from 'yaml';
import { type Place, SourceText } from '../../documents/place.ts';
import { addHost, groupOf, hostNames, type Inventory, type Variables } from './inventory.ts';

/** `report` receives what is wrong, and where. */
export function readIni(file: string, text: string, report: (place: Place, message: string) => void): Inventory {
  const inventory: Inventory = { groups: new Map(), hosts: new Map() };
  const lines = new LineCounter();
  const source = new SourceText(file, lines, text);
  let section = { group: 'ungrouped', kind: 'hosts' };
  let offset = 0;
  for (const raw of text.split('\n')) {
    lines.addNewLine(offset);
    const begin = offset + raw.length - raw.trimStart().length;
    offset += raw.length + 1;
    const line = withoutComment(raw).trim();
    if (line === '') continue;
    const place = source.place(begin, begin + line.length);
    const [, group, kind = 'hosts'] = /^\[([^\]:\s]+)(?::(\w+))?\]$/.exec(line) ?? [];
    if (group === undefined) readLine(inventory, section, { line, place }, report);
    else {
      section = { group, kind };
      if (!['hosts', 'vars', 'children'].includes(kind)) report(place, `a group has no section ${kind}`);
      groupOf(inventory, group);
    }
  }
  return inventory;
}

function readLine(
  inventory: Inventory,
  { group, kind }: { group: string; kind: string },
  { line, place }: { line: string; place: Place },
  report: (place: Place, message: string) => void,
): void {
  const found = groupOf(inventory, group);
  if (kind === 'children') {
    found.children.push(line);
    groupOf(inventory, line);
    return;
  }
  if (kind === 'vars') {
    const [, name, value = ''] = /^([\w-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) report(place, 'a variable must have the form name=value');
    else found.variables[name] = unquoted(value);
    return;
  }
  const [pattern = '', ...words] = wordsOf(line);
  const wrong = words.find((word) => !/^[\w-]+=/.test(word));
  if (wrong !== undefined) report(place, `"${wrong}" must have the form name=value`);
  for (const name of hostNames(pattern)) {
    addHost(inventory, name, { variables: variablesOf(words), place });
    found.hosts.push(name);
  }
}

const withoutComment = (line: string): string => (/^\s*[#;]/.test(line) ? '' : line.replace(/\s#.*$/, ''));
/** Words are separated by blanks, except within quotes. */
const wordsOf = (line: string): string[] => line.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
const unquoted = (value: string): string => /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
const variablesOf = (words: readonly string[]): Variables =>
  Object.fromEntries(
    words.map((word) => [word.slice(0, word.indexOf('=')), unquoted(word.slice(word.indexOf('=') + 1))]),
  );
