/** Everything that is wrong with what people wrote, each problem at the file, line and column of the value that it is about. */
import { fail, type Problem } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';
import type { Locator, Path, Place } from './place.ts';

export type { Path } from './place.ts';

/** Then the rest can wait: what is wrong with the first is most often wrong with all. */
const PROBLEMS_MAX = 100;

export class Problems {
  readonly #found: { place: Place; problem: Problem }[] = [];
  readonly #hidden = new Set<string>();
  #locator: Locator;
  readonly #max: number;

  /** E_PIPELINE is thrown at once where there are `max`. */
  constructor(locator: Locator, max = PROBLEMS_MAX) {
    this.#locator = locator;
    this.#max = max;
  }

  /** From here on, paths are those of another document. */
  moveTo(locator: Locator): void {
    this.#locator = locator;
  }

  /** At the value of `path`, or where there is none at its nearest parent. `rule` is the kebab-case name of what is broken. */
  at(path: Path, message: string, rule?: string): void {
    this.atPlace(this.#locator.at(path), message, rule);
  }

  /** Where the value of `path` is, or its nearest parent. */
  placeOf(path: Path): Place {
    return this.#locator.at(path);
  }

  /** At the key `key` of the mapping at `path`. */
  atKey(path: Path, key: string, message: string, rule?: string): void {
    this.atPlace(this.#locator.atKey(path, key), message, rule);
  }

  atPlace(place: Place, message: string, rule?: string): void {
    const { file, line, column } = place;
    const problem = { file, line, column, message: clean(message), ...(rule === undefined ? {} : { rule }) };
    this.#found.push({ place, problem });
    if (this.#found.length === this.#max) this.throwIfAny();
  }

  /** What stands at `path` is a secret: no frame shows it. */
  hide(path: Path): void {
    for (const line of this.#locator.at(path).text?.().split('\n') ?? [])
      if (line.trim() !== '') this.#hidden.add(line.trim());
  }

  /** All of them once, in the order of the files and of what is in each. */
  sorted(): Problem[] {
    const files = [...new Set(this.#found.map(({ place }) => place.file))];
    const keys = new Set<string>();
    return this.#found
      .map(({ place, problem }) => this.#framed(problem, place))
      .filter((problem) => {
        const key = JSON.stringify(problem);
        return !keys.has(key) && keys.add(key);
      })
      .sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column);
  }

  #framed(problem: Problem, { frame }: Place): Problem {
    if (frame === undefined) return problem;
    let shown = frame();
    for (const secret of this.#hidden) shown = shown.replaceAll(secret, '***');
    return { ...problem, frame: shown };
  }

  /** Throws E_PIPELINE with all of them if there is any. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw fail('E_PIPELINE', { problems: this.sorted() });
  }
}
