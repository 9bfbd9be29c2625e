/**
 * The parts of one script that have run, from V8's precise block coverage. Source: Chrome DevTools protocol, domain
 * Profiler.
 */
import { type Profiler, Session } from 'node:inspector';

const FUNCTION_CHARACTERS_MAX = 200_000; // more than that is the bundle itself, around all functions

export class Coverage {
  readonly #session = new Session();
  readonly #script: string;
  /** Function → its characters that have run. */
  readonly #covered = new Map<string, Uint8Array>();
  /** Stretches of code that were new when they were kept. */
  blocks = 0;

  /** `script` is the end of the script's URL. Only code that is loaded later counts. */
  constructor(script: string) {
    this.#script = script;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  close(): void {
    this.#session.disconnect();
  }

  /** The number of stretches that ran since the last call and never before a `keep`. */
  take(keep: boolean): number {
    let found = 0;
    for (const { ranges } of this.#functions()) {
      const [whole] = ranges;
      if (whole === undefined || whole.endOffset - whole.startOffset > FUNCTION_CHARACTERS_MAX) continue;
      const ran = new Uint8Array(whole.endOffset - whole.startOffset);
      // Inner ranges come last.
      for (const { startOffset, endOffset, count } of ranges)
        ran.fill(count > 0 ? 1 : 0, startOffset - whole.startOffset, endOffset - whole.startOffset);
      const name = `${whole.startOffset}-${whole.endOffset}`;
      const covered = this.#covered.get(name) ?? new Uint8Array(ran.length);
      found += stretches(ran, covered);
      if (!keep) continue;
      for (const [index, did] of ran.entries()) if (did === 1) covered[index] = 1;
      this.#covered.set(name, covered);
    }
    if (keep) this.blocks += found;
    return found;
  }

  #functions(): Profiler.FunctionCoverage[] {
    let functions: Profiler.FunctionCoverage[] = [];
    // A session of this very thread answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error;
      functions = answer.result.find(({ url }) => url.endsWith(this.#script))?.functions ?? [];
    });
    return functions;
  }
}

/** The number of stretches in `ran` that are not in `covered`. */
function stretches(ran: Uint8Array, covered: Uint8Array): number {
  let found = 0;
  let inside = false;
  for (let index = 0; index < ran.length; index++) {
    const fresh = ran[index] === 1 && covered[index] === 0;
    if (fresh && !inside) found++;
    inside = fresh;
  }
  return found;
}
