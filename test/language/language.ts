/** Finds what breaks the rules of language: retired phrases, retired names, lines that are too long. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT, type Source } from '../helpers/sources.ts';
import { replacementOf } from './glossary.ts';
import { PHRASES } from './phrases.ts';
import { proseOf } from './prose.ts';

export interface Finding {
  path: string;
  line: number;
  found: string;
  instead: string;
}

const COLUMNS_MAX = 120;
const FOLDERS = ['bin', 'engine', 'phases', 'plugins', 'pipelines', 'environments', 'schemas', 'docs', 'test'];
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'package.json'];
const EXTENSIONS = /\.(?:tsx?|md|yaml|json)$/;
/** Data of others, and the pages that list the retired words themselves. */
const EXCLUDED = ['test/vectors/', 'test/fuzz/corpus/', 'test/language/', 'docs/glossary.md'];

const isCode = (path: string): boolean => /\.tsx?$/.test(path);
const isRead = (path: string): boolean => EXTENSIONS.test(path) && !EXCLUDED.some((start) => path.startsWith(start));
const filesBelow = (folder: string): string[] =>
  readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((path) => isRead(path) && statSync(join(PROJECT, path)).isFile())
    .sort();

export const projectFiles = (): Source[] =>
  [...DOCUMENTS, ...FOLDERS.flatMap(filesBelow)].map((path) => ({
    path,
    text: readFileSync(join(PROJECT, path), 'utf8'),
  }));

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

export function retiredPhrases({ path, text }: Source): Finding[] {
  const prose = proseOf(path, text);
  /** A string of one word is a value, such as a name, and not prose. */
  const isValue = ({ index, 0: found }: RegExpExecArray) =>
    prose[index - 1] === '\0' && prose[index + found.length] === '\0' && /^\w+$/.test(found);
  return PHRASES.flatMap(({ pattern, instead }) =>
    [...prose.matchAll(pattern)]
      .filter((match) => !isValue(match))
      .map((match) => ({
        path,
        line: lineAt(prose, match.index),
        found: match[0].replace(/\s+/g, ' '),
        instead,
      })),
  ).sort((a, b) => a.line - b.line);
}

const TYPE = /^(?:export )?(?:declare )?(?:abstract )?(?:type|interface|class|enum) (\w+)/gm;
const EXPORTED = /^export (?:async )?(?:function\*?|const|let) (\w+)/gm;
/** Types, and exported functions and values, with a retired name or a retired word in their name. */
export function retiredNames({ path, text }: Source): Finding[] {
  if (!isCode(path)) return [];
  return [TYPE, EXPORTED]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .flatMap((match) => {
      const [, name = ''] = match;
      const instead = replacementOf(name);
      return instead === undefined ? [] : [{ path, line: lineAt(text, match.index), found: name, instead }];
    });
}

const LITERAL =
  /^\s*(?:[\w$?]+: |\+ |: |return |\? |(?:export )?const \w+ = )?(?:(['"`]).*\1|\/.*\/[dgimsuvy]*)[,;)]*$/;
const isComment = (line: string): boolean => /^\s*(?:\*|\/\/|\/\*)/.test(line);

/** A row of a table, or a line of code that is one literal or lies within a template literal: none can be broken. */
function isUnbreakable(path: string, line: string, prose: string): boolean {
  if (path.endsWith('.md')) return line.startsWith('|');
  return !isComment(line) && (LITERAL.test(line) || !prose.trimStart().startsWith('\0'));
}

/** Lines over 120 columns that can be broken. JSON is laid out by the formatter. */
export function longLines({ path, text }: Source): Finding[] {
  const lines = text.split('\n');
  if (path.endsWith('.json') || lines.every((line) => line.length <= COLUMNS_MAX)) return [];
  const prose = isCode(path) ? proseOf(path, text).split('\n') : [];
  return lines.flatMap((line, index) => {
    const tooLong = line.length > COLUMNS_MAX && !isUnbreakable(path, line, prose[index] ?? '\0');
    const found = `${line.length} columns`;
    return tooLong ? [{ path, line: index + 1, found, instead: `at most ${COLUMNS_MAX}` }] : [];
  });
}

export const RULES = { phrases: retiredPhrases, names: retiredNames, lines: longLines };
export const findings = (files: readonly Source[]): Finding[] =>
  files.flatMap((file) => Object.values(RULES).flatMap((rule) => rule(file)));
export const findingText = ({ path, line, found, instead }: Finding): string =>
  `${path}:${line}: ${JSON.stringify(found)}: use instead: ${instead}`;
