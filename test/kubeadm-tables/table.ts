/**
 * The tables of kubeadm 1.36's unit tests, as data. Each names its source. A case that is marked `derived` goes one
 * step further than kubeadm's own. A case where Joinery differs says why, as docs/differences-from-kubeadm.md does.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export interface Case {
  id: string;
  want: unknown;
  differs?: string;
}

interface Table<T> {
  cases: T[];
}

export const readTable = <T extends object>(name: string): T & Table<Case> =>
  JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), 'utf8'));
export const casesOf = <T extends object>(name: string): (T & Case)[] => readTable<Table<T & Case>>(name).cases;

/** Fails too if Joinery no longer differs in a case that says so. */
export function expectKubeadms({ want, differs }: Pick<Case, 'want' | 'differs'>, got: unknown): void {
  if (differs === undefined) expect(got).toEqual(want);
  else expect(got, differs).not.toEqual(want);
}

/** `ok` if `act` does not fail, as the tables have it. */
export async function verdictOf(act: () => unknown): Promise<'ok' | 'no'> {
  try {
    await act();
    return 'ok';
  } catch {
    return 'no';
  }
}
