/** Inputs as files. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The files of a folder; none if it does not exist. */
export function inputsIn(folder: string): string[] {
  try {
    const paths = readdirSync(folder).map((name) => join(folder, name));
    return paths.filter((path) => statSync(path).isFile()).sort();
  } catch {
    return [];
  }
}

/** Large inputs are stored compressed. */
export const readInput = (path: string): Buffer =>
  path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path);

/** Writes an input to a file that is named after its digest. Returns the path. */
export function writeInput(folder: string, bytes: Buffer): string {
  const path = join(folder, createHash('sha256').update(bytes).digest('hex').slice(0, 12));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

/** Whether a person has named the input. Such an input is always kept. */
export const isNamed = (path: string): boolean => !/^[0-9a-f]{12}$/.test(basename(path));
