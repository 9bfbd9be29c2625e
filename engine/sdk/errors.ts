/** The catalogue of errors. Each has a stable code, a message with the facts, and a hint with the next command. */
import { bugs } from './errors/bugs.ts';
import { cluster } from './errors/cluster.ts';
import { documents } from './errors/documents.ts';
import { fleet } from './errors/fleet.ts';
import { fleetMachines } from './errors/fleet-machines.ts';
import { type ErrorText, isJoinError, JoinError } from './errors/join-error.ts';
import { machine } from './errors/machine.ts';
import { plugins } from './errors/plugins.ts';
import { trust } from './errors/trust.ts';
import { usage } from './errors/usage.ts';

export { EXIT, isJoinError, JoinError, type OwnError } from './errors/join-error.ts';
export type { CheckResult, Problem } from './errors/problem.ts';

const families = { ...bugs, ...cluster, ...documents, ...machine, ...plugins, ...trust, ...usage };
const catalog = { ...families, ...fleet, ...fleetMachines };

/**
 * The codes of the catalogue. `docs/errors.md` describes each.
 * @stable
 */
export type ErrorCode = keyof typeof catalog;
/**
 * All codes of the catalogue.
 * @experimental
 */
export const errorCodes = Object.keys(catalog) as ErrorCode[];
export type Facts<C extends ErrorCode> = Parameters<(typeof catalog)[C]>[0];

/**
 * Creates an error of the catalogue. `cause` is the error that led to it. If it is that no more files can be opened,
 * the result is E_OPEN_FILES: a check of the file, the server or the container runtime would find nothing.
 *
 * @example throw fail('E_FILE', { path: '/etc/motd', what: 'permission denied' });
 * @stable
 */
export function fail<C extends ErrorCode>(code: C, facts: Facts<C>, cause?: unknown): JoinError {
  const { path, file, server, socket, url, command } = facts as Record<string, unknown>;
  return openFilesError(cause, path ?? file ?? server ?? socket ?? url ?? command) ?? catalogError(code, facts, cause);
}

/** E_OPEN_FILES if `cause` is that no more files can be opened, for `place`; undefined otherwise. */
export function openFilesError(cause: unknown, place: unknown): JoinError | undefined {
  const limit = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (limit !== 'EMFILE' && limit !== 'ENFILE') return undefined;
  return catalogError('E_OPEN_FILES', { limit, place: typeof place === 'string' ? place : undefined }, cause);
}

function catalogError<C extends ErrorCode>(code: C, facts: Facts<C>, cause: unknown): JoinError {
  const words = catalog[code] as (facts: Facts<C>) => ErrorText; // C ties the code to the type of its facts
  return new JoinError(code, words(facts), facts, cause);
}

/**
 * The error of a wait that timed out, with what was seen last. Other errors stay as they are.
 * @experimental
 */
export function withWitness(error: unknown, witness: string): unknown {
  if (!isTimeLimit(error) || witness === '') return error;
  const facts = error.facts as Facts<'E_STEP_TIME_LIMIT'>;
  const seen = facts.witness === undefined ? witness : `${facts.witness}; ${witness}`;
  return fail('E_STEP_TIME_LIMIT', { ...facts, witness: seen }, error);
}

/**
 * Whether the time limit of a step has ended a wait.
 * @experimental
 */
export const isTimeLimit = (error: unknown): error is JoinError =>
  isJoinError(error) && error.code === 'E_STEP_TIME_LIMIT';
