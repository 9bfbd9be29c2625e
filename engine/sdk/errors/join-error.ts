/** The type of all expected errors; `errors.ts` has the catalogue. */

/**
 * Exit codes, one for each family of errors.
 * @stable
 */
export const EXIT = {
  bug: 1,
  usage: 2,
  pipeline: 3,
  preflight: 4,
  cluster: 5,
  machine: 6,
  timeLimit: 7,
  denied: 8,
  trust: 12,
  cancelled: 130,
  terminated: 143,
};

/** The text of one error, and how the engine treats it. */
export interface ErrorText {
  message: string;
  hint: string;
  exitCode: number;
  /** Whether another attempt may help. Other errors end the step at once. */
  transient?: boolean;
  /** Shortest pause before another attempt, from the server. */
  retryAfterMs?: number | undefined;
}

/**
 * An error with a code of the plugin's own, for `JoinError.own`.
 * @stable
 */
export interface OwnError {
  code: `E_${string}`;
  message: string;
  hint: string;
  exitCode?: number;
  transient?: boolean;
}

const MARK = Symbol.for('joinery.error');

/**
 * The error that phases throw. Joinery reports every other thrown value as a bug, with its stack trace.
 *
 * @example throw JoinError.own({ code: 'E_ACME_QUOTA', message: 'the quota is used up', hint: 'Raise the quota.' });
 * @stable
 */
export class JoinError extends Error {
  override readonly name = 'JoinError';
  readonly code: string;
  readonly hint: string;
  readonly exitCode: number;
  readonly transient: boolean;
  /** Shortest pause before another attempt. */
  readonly retryAfterMs: number | undefined;
  /** The facts of the message, for programs. They never contain a secret. */
  readonly facts: object;
  /** The step that failed; the engine sets it. */
  step?: string;

  constructor(code: string, words: ErrorText, facts: object, cause?: unknown) {
    super(words.message, cause === undefined ? undefined : { cause });
    Object.defineProperty(this, MARK, { value: true });
    this.code = code;
    this.hint = words.hint;
    this.exitCode = words.exitCode;
    this.transient = words.transient ?? false;
    this.retryAfterMs = words.retryAfterMs;
    this.facts = facts;
  }

  static own(
    { code, message, hint, exitCode = EXIT.machine, transient = false }: OwnError,
    cause?: unknown,
  ): JoinError {
    return new JoinError(code, { message, hint, exitCode, transient }, {}, cause);
  }
}

/**
 * Whether `error` is a JoinError. A symbol decides, not `instanceof`: a plugin may have loaded another copy of the
 * class.
 * @stable
 */
export const isJoinError = (error: unknown): error is JoinError =>
  typeof error === 'object' && error !== null && MARK in error;
