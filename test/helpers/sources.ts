/** The sources of the project as data: every file with its lines and what it imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

export interface Source {
  /** Relative to the project, with `/`. */
  path: string;
  text: string;
}

/** Every .ts and .tsx file below the folders. */
export const sourcesBelow = (...folders: string[]): Source[] =>
  folders
    .flatMap((folder) =>
      readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .filter((path) => /\.tsx?$/.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(PROJECT, path), 'utf8') }));

const FROM = /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm;
const BARE = /^\s*import\s*['"]([^'"]+)['"]/gm;
const CALL = /\b(?:import|require)\s*\(\s*['"`]([^'"`]+)['"`]/g;

/** What a source imports: packages by their name, files by their path in the project. */
export function importsOf({ path, text }: Source): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/^\s*\/\/.*$/gm, ' ');
  const named = [FROM, BARE, CALL].flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
  return named.map((name) => (name.startsWith('.') ? posix.join(posix.dirname(path), name) : name));
}

export const lineCount = ({ text }: Source): number => text.replace(/\n$/, '').split('\n').length;
