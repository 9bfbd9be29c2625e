/** Inputs as files. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The files of a folder, none where there is no folder. */
export function inputsIn(folder: string): string[] {
  try {
    const paths = readdirSync(folder).map((name) => join(folder, name));
    return paths.filter((path) => statSync(path).isFile()).sort();
  } catch {
    return [];
  }
}

/** Large ones are kept packed. */
export const readInput = (path: string): Buffer =>
  path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path);

/** Named for its digest; returns the path. */
export function writeInput(folder: string, bytes: Buffer): string {
  const path = join(folder, createHash('sha256').update(bytes).digest('hex').slice(0, 12));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** Named by a person, and so kept whatever it reaches. */
export const isNamed = (path: string): boolean => !/^[0-9a-f]{12}$/.test(basename(path));
