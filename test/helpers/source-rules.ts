/**
 * Findings about sources that need more than one import: cycles of files, sizes, and parameters of exported functions.
 */
import { importsOf, lineCount, type Source } from './sources.ts';

/** Groups of files that import each other, directly or through others. Imports of types count. */
export function cyclesOf(files: readonly Source[]): string[][] {
  const paths = new Set(files.map(({ path }) => path));
  const targets = new Map(files.map((file) => [file.path, importsOf(file).filter((target) => paths.has(target))]));
  const reachable = new Map<string, ReadonlySet<string>>();
  for (const path of paths) reachable.set(path, reachableFrom(path, targets));
  const grouped = new Set<string>();
  const cycles: string[][] = [];
  for (const path of paths) {
    if (grouped.has(path) || reachable.get(path)?.has(path) !== true) continue;
    const group = [...paths].filter((other) => reachable.get(path)?.has(other) && reachable.get(other)?.has(path));
    for (const member of group) grouped.add(member);
    cycles.push(group.sort());
  }
  return cycles;
}

function reachableFrom(start: string, targets: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [...(targets.get(start) ?? [])];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    open.push(...(targets.get(path) ?? []));
  }
  return reached;
}

export const longerThan = (files: readonly Source[], linesMax: number): string[] =>
  files.filter((file) => lineCount(file) > linesMax).map(({ path }) => path);

const FUNCTION = /^export (?:default )?(?:async )?function\s*\*?\s*(\w*)/gm;
const ARROW = /^export const (\w+)[^=\n]*=\s*(?:async\s*)?(?=[(<])/gm;
const BOOLEAN = /^\s*(?:\w+\??\s*:\s*boolean\b(?!\s*\|)|\w+\s*=\s*(?:true|false)\b)/;

/** `engine/a.ts: open(path, force: boolean)` for each boolean parameter of an exported function. */
export const booleanParameters = ({ path, text }: Source): string[] =>
  [FUNCTION, ARROW].flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap((match) => {
      const from = text.indexOf('(', afterTypeParameters(text, match.index + match[0].length));
      const found = parametersAt(text, from).filter((parameter) => BOOLEAN.test(parameter));
      return found.map((parameter) => `${path}: ${match[1]}(${parameter.trim()})`);
    }),
  );

function afterTypeParameters(text: string, at: number): number {
  if (text[at] !== '<') return at;
  let depth = 0;
  for (let index = at; index < text.length; index++) {
    if (text[index] === '<') depth++;
    if (text[index] === '>' && text[index - 1] !== '=' && --depth === 0) return index + 1;
  }
  return at;
}

/** The parameters of the list that opens at `from`, as text. */
function parametersAt(text: string, from: number): string[] {
  const parameters: string[] = [];
  let depth = 0;
  let start = from + 1;
  for (let index = from; index < text.length; index++) {
    const character = text[index] ?? '';
    if ('([{<'.includes(character)) depth++;
    const isArrow = character === '>' && text[index - 1] === '=';
    if (')]}>'.includes(character) && !isArrow) depth--;
    if ((character === ',' && depth === 1) || depth === 0) {
      parameters.push(text.slice(start, index));
      start = index + 1;
    }
    if (depth === 0) break;
  }
  return parameters;
}

/** Calls whose errors have the sentences of a library or of Node.js. */
const FOREIGN =
  /\b(?:JSON\.parse|new URL|new RegExp|new X509Certificate|createPrivateKey|createPublicKey|g(?:un)?zip\)?|execFile\)?|decodeURIComponent)\(/;
const TRY = /\btry \{((?:(?!\btry \{)[\s\S])*?)\n\s*\} catch \((\w+)\) \{([\s\S]*?)\n\s*\}\n/g;

/** `engine/a.ts: new URL(` for each error of a library whose own message is used as a text for people. */
export const libraryMessages = ({ path, text }: Source): string[] =>
  [...text.matchAll(TRY)].flatMap(([, tried = '', name = '', caught = '']) => {
    const [call] = FOREIGN.exec(tried) ?? [];
    const isRead = `(?<!exec\\(\\(?)\\b${name}(?: as \\w+\\))?\\.message\\b`; // a pattern may look for a position in it
    const isQuoted = new RegExp(`${isRead}|\\breasonOf\\(${name}\\)`).test(caught);
    return call !== undefined && isQuoted ? [`${path}: ${call}`] : [];
  });

const FROM_FS = /^import (type )?(?:\* as (\w+)|\{([^}]*)\}) from 'node:fs(?:\/promises)?';/gm;

/** What a source imports from `node:fs`, without types: names of functions, or `*`. */
export const fileFunctions = ({ text }: Source): string[] =>
  [...text.matchAll(FROM_FS)]
    .filter(([, isType]) => isType === undefined)
    .flatMap(([, , all, names = '']) => (all === undefined ? names.split(',').map((name) => name.trim()) : ['*']))
    .filter((name) => name !== '' && !name.startsWith('type '));
