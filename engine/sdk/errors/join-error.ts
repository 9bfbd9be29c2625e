/** What errors are made of: `errors.ts` has the catalogue of them. */

/** Exit codes by family; `docs/errors.md` has the table. */
export const EXIT = {
  bug: 1,
  usage: 2,
  pipeline: 3,
  preflight: 4,
  cluster: 5,
  machine: 6,
  timeLimit: 7,
  trust: 12,
  cancelled: 130,
};

export interface ErrorText {
  message: string;
  hint: string;
  exitCode: number;
  /** Trying again may help; permanent errors end a step at once. */
  transient?: boolean;
  /** Trying again helps only after this long: the server has said so. */
  retryAfterMs?: number | undefined;
}

/** An error of a plugin's own: `JoinError.own({ code: 'E_ACME_QUOTA', message, hint })`. */
export interface OwnError {
  code: `E_${string}`;
  message: string;
  hint: string;
  exitCode?: number;
  transient?: boolean;
}

const MARK = Symbol.for('joinery.error');

/** What a phase throws for everything that is not a bug of its own. Anything else that is thrown is reported as a bug, with its stack. */
export class JoinError extends Error {
  override readonly name = 'JoinError';
  readonly code: string;
  readonly hint: string;
  readonly exitCode: number;
  readonly transient: boolean;
  /** The pause before another try is at least this long. */
  readonly retryAfterMs: number | undefined;
  /** The facts, for machines. No secret is ever among them. */
  readonly facts: object;
  /** The step it happened in; set by the engine. */
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

/** By a symbol and not `instanceof`: a plugin may have met another copy of the class. */
export const isJoinError = (error: unknown): error is JoinError =>
  typeof error === 'object' && error !== null && MARK in error;
