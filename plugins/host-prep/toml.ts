/** Changes single values of a TOML document and keeps all other bytes. Source of the grammar: TOML 1.0. */

/** A value and the position of its text. */
interface Entry {
  path: string[];
  /** Offsets of the value, without a trailing comment. */
  from: number;
  to: number;
}

interface Table {
  path: string[];
  /** Offset of the line after its header. */
  body: number;
  indent: string;
}

export interface Toml {
  entries: Entry[];
  tables: Table[];
}

const BLANK = /[ \t]*/y;
const KEY = /[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))[ \t]*/y;

/** Finds all tables and values. Throws an Error with the number of a line that it cannot parse. */
export function readToml(text: string): Toml {
  const document: Toml = { entries: [], tables: [] };
  let table: string[] = [];
  let at = 0;
  const syntaxError = (): Error => new Error(`cannot parse line ${text.slice(0, at).split('\n').length} as TOML`);
  const skip = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [found = ''] = pattern.exec(text) ?? [];
    at += found.length;
    return found;
  };
  const keys = (): string[] => {
    const path: string[] = [];
    do {
      KEY.lastIndex = at;
      const match = KEY.exec(text);
      if (match === null) throw syntaxError();
      at += match[0].length;
      path.push(match[1]?.replace(/\\(["\\])/g, '$1') ?? match[2] ?? match[3] ?? '');
    } while (text[at] === '.' && ++at > 0);
    return path;
  };
  const endLine = (): void => {
    skip(/[ \t]*(#[^\n]*)?\r?/y);
    if (at < text.length && text[at++] !== '\n') throw syntaxError();
  };
  while (at < text.length) {
    const indent = skip(BLANK);
    if (/[#\r\n]/.test(text[at] ?? '\n')) {
      endLine();
      continue;
    }
    if (text[at] === '[') {
      const isList = text[at + 1] === '[';
      at += isList ? 2 : 1;
      table = keys();
      if (skip(/\]\]?/y).length !== (isList ? 2 : 1)) throw syntaxError();
      endLine();
      if (isList)
        table = [...table, '[]']; // entries of arrays of tables are never edited
      else document.tables.push({ path: table, body: at, indent });
      continue;
    }
    const path = [...table, ...keys()];
    if (skip(/=[ \t]*/y) === '') throw syntaxError();
    const from = at;
    at = endOfValue(text, at);
    if (at <= from) throw syntaxError();
    document.entries.push({ path, from, to: at });
    endLine();
  }
  return document;
}

/** Offset after the value that starts at `from`; -1 if the value is not terminated. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at <= text.length; ) {
    const letter = text[at] ?? '\n';
    const quotes = /"""|'''|"|'/y;
    quotes.lastIndex = at;
    const [quote] = quotes.exec(text) ?? [];
    if (quote !== undefined) {
      at = endOfText(text, at, quote);
      if (at < 0) return -1;
    } else if (letter === '[' || letter === '{') {
      depth++;
      at++;
    } else if (letter === ']' || letter === '}') {
      depth--;
      at++;
    } else if (depth === 0 && /[#\r\n]/.test(letter)) return from + text.slice(from, at).trimEnd().length;
    else if (letter === '#') at = text.indexOf('\n', at) < 0 ? text.length : text.indexOf('\n', at);
    else at++;
  }
  return depth === 0 ? text.length : -1;
}

function endOfText(text: string, from: number, quote: string): number {
  for (let at = from + quote.length; at < text.length; at++) {
    if (text[at] === '\\' && quote.startsWith('"')) at++;
    else if (quote.length === 1 && text[at] === '\n') return -1;
    else if (text.startsWith(quote, at)) {
      // Up to two quotation marks may precede the closing three.
      while (quote.length === 3 && text[at + 3] === quote[0]) at++;
      return at + quote.length;
    }
  }
  return -1;
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((part, index) => part === other[index]);
const quoted = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key));

/** The text of the value at `path`. */
export function rawValue(text: string, path: readonly string[]): string | undefined {
  const entry = readToml(text).entries.find((one) => isSame(one.path, path));
  return entry && text.slice(entry.from, entry.to);
}

/** Sets `path` to `value` (as TOML): replaces the old value, or adds it to its table, or adds a table at the end. */
export function withValue(text: string, path: readonly string[], value: string): string {
  const { entries, tables } = readToml(text);
  const existing = entries.find((entry) => isSame(entry.path, path));
  if (existing !== undefined) return text.slice(0, existing.from) + value + text.slice(existing.to);
  const inline = entries.find((entry) => isSame(entry.path, path.slice(0, entry.path.length)));
  if (inline !== undefined) throw new Error(`${inline.path.map(quoted).join('.')} is not a table section`);
  const [key = ''] = path.slice(-1);
  const parent = path.slice(0, -1);
  const table = tables.find((one) => isSame(one.path, parent));
  if (table !== undefined) {
    const before = text.slice(0, table.body);
    const line = `${table.indent}  ${quoted(key)} = ${value}\n`;
    return before + (before.endsWith('\n') ? '' : '\n') + line + text.slice(table.body);
  }
  if (parent.length === 0) return `${quoted(key)} = ${value}\n${text}`;
  // TOML forbids a header for a table that dotted keys have defined.
  const dotted = entries.find(
    (entry) => entry.path.length > parent.length && isSame(entry.path.slice(0, parent.length), parent),
  );
  const opened = tables.some((one) => isSame(one.path.slice(0, parent.length), parent));
  if (dotted !== undefined && !opened) throw new Error(`${parent.map(quoted).join('.')} is defined by dotted keys`);
  const lineEnd = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${lineEnd}\n[${parent.map(quoted).join('.')}]\n  ${quoted(key)} = ${value}\n`;
}
