/** Every error Joinery can end with: a stable code, the fact, the next thing to do. Facts in, words out; a file of `errors/` a family. */
import { bugs } from './errors/bugs.ts';
import { cluster } from './errors/cluster.ts';
import { documents } from './errors/documents.ts';
import { type ErrorText, JoinError } from './errors/join-error.ts';
import { machine } from './errors/machine.ts';
import { plugins } from './errors/plugins.ts';
import { trust } from './errors/trust.ts';
import { usage } from './errors/usage.ts';

export { EXIT, isJoinError, JoinError, type OwnError } from './errors/join-error.ts';
export type { CheckResult, Problem } from './errors/problem.ts';

const catalog = { ...bugs, ...cluster, ...documents, ...machine, ...plugins, ...trust, ...usage };

export type ErrorCode = keyof typeof catalog;
export const errorCodes = Object.keys(catalog) as ErrorCode[];
export type Facts<C extends ErrorCode> = Parameters<(typeof catalog)[C]>[0];

/** An error of the catalogue: `throw fail('E_…', facts)`. */
export function fail<C extends ErrorCode>(code: C, facts: Facts<C>, cause?: unknown): JoinError {
  const words = catalog[code] as (facts: Facts<C>) => ErrorText; // each entry takes its own facts; C ties the two together
  return new JoinError(code, words(facts), facts, cause);
}
