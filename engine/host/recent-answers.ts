/**
 * Remembers for a moment what the machine answered. Steps that run at the same time ask the same questions, and each
 * answer costs a process.
 */

interface Recent {
  answer: Promise<unknown>;
  asker: AbortSignal;
  /** On the clock of `performance.now()`. Infinite until the answer has arrived. */
  freshUntilMs: number;
}

export class RecentAnswers {
  readonly #recent = new Map<string, Recent>();

  /**
   * Returns the answer if the same question is being asked, or was answered at most `freshMs` ago. Otherwise calls
   * `ask`. If the step that asked a shared question is cancelled, another step asks it again.
   */
  async get<T>(question: string, freshMs: number, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    for (;;) {
      const recent = this.#recent.get(question);
      if (recent === undefined || recent.freshUntilMs < performance.now())
        return this.#ask(question, freshMs, signal, ask);
      try {
        return (await unlessAborted(recent.answer, signal)) as T;
      } catch (error) {
        if (signal.aborted || !recent.asker.aborted) throw error;
      }
    }
  }

  /** Must be called after each change of the machine. */
  forget(): void {
    this.#recent.clear();
  }

  async #ask<T>(question: string, freshMs: number, asker: AbortSignal, ask: () => Promise<T>): Promise<T> {
    const answer = ask();
    const recent: Recent = { answer, asker, freshUntilMs: Number.POSITIVE_INFINITY };
    this.#recent.set(question, recent);
    try {
      const result = await answer;
      recent.freshUntilMs = performance.now() + freshMs;
      return result;
    } catch (error) {
      if (this.#recent.get(question) === recent) this.#recent.delete(question);
      throw error;
    }
  }
}

function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
