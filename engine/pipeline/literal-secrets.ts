import type { Path, Problems } from '../documents/problems.ts';

/** Reports a secret that is written in a pipeline. Many people read pipelines, and `join pipeline show` prints them. */
export function reportSecret(problems: Problems, name: string, at: Path): void {
  problems.hide(at);
  problems.at(at, `${name} is a secret, and must not be written in a pipeline: pass it as an input`, 'secret-shown');
}
