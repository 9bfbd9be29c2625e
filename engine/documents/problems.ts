/** Collects everything that is wrong with a document, each problem with file, line and column. */
import { fail, type Problem } from '../sdk/errors.ts';
import { defined } from '../sdk/fields.ts';
import { clean, maskTokens } from '../sdk/text.ts';
import type { Locator, Path, Place } from './place.ts';

export type { Path } from './place.ts';

/** More problems than this usually have one cause. */
const PROBLEMS_MAX = 100;

export class Problems {
  readonly #found: { place: Place; problem: Problem }[] = [];
  readonly #hidden = new Set<string>();
  #locator: Locator;
  readonly #max: number;

  /** Throws E_PIPELINE as soon as there are `max` problems. */
  constructor(locator: Locator, max = PROBLEMS_MAX) {
    this.#locator = locator;
    this.#max = max;
  }

  /** How many problems were found so far. */
  get count(): number {
    return this.#found.length;
  }

  /** Resolves paths in another document from now on. */
  useLocator(locator: Locator): void {
    this.#locator = locator;
  }

  /**
   * Reports a problem at the value of `path`, or at its nearest parent. `rule` is the kebab-case name of the broken
   * rule.
   */
  at(path: Path, message: string, rule?: string): void {
    this.atPlace(this.#locator.at(path), message, rule);
  }

  /** The place of the value of `path`, or of its nearest parent. */
  placeOf(path: Path): Place {
    return this.#locator.at(path);
  }

  /** Reports a problem at `key` of the mapping at `path`. */
  atKey(path: Path, key: string, message: string, rule?: string): void {
    this.atPlace(this.#locator.atKey(path, key), message, rule);
  }

  atPlace(place: Place, message: string, rule?: string): void {
    const { file, line, column } = place;
    const problem = defined({ file, line, column, message: maskTokens(clean(message)), rule });
    this.#found.push({ place, problem });
    if (this.#found.length === this.#max) this.throwIfAny();
  }

  /** Adds the problems of another document. */
  addAll(other: Problems): void {
    for (const { place, problem } of other.#found) this.atPlace(place, problem.message, problem.rule);
    for (const text of other.#hidden) this.#hidden.add(text);
  }

  /** Masks the secret at `path` in every frame. */
  hide(path: Path): void {
    for (const line of this.#locator.at(path).text?.().split('\n') ?? [])
      if (line.trim() !== '') this.#hidden.add(line.trim());
  }

  /** Every problem once, ordered by file, line and column. */
  sorted(): Problem[] {
    const files = [...new Set(this.#found.map(({ place }) => place.file))];
    const keys = new Set<string>();
    const known = new Map<string, readonly string[]>();
    const linesOf = (text: string): readonly string[] => {
      const lines = known.get(text) ?? this.#masked(text).split(/\r?\n/);
      known.set(text, lines);
      return lines;
    };
    return this.#found
      .map(({ place: { frame }, problem }) => defined({ ...problem, frame: frame?.(linesOf) }))
      .filter((problem) => {
        const key = JSON.stringify(problem);
        return !keys.has(key) && keys.add(key);
      })
      .sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column);
  }

  #masked(text: string): string {
    let masked = text;
    for (const secret of this.#hidden) masked = masked.replaceAll(secret, '***');
    return maskTokens(masked);
  }

  /** Throws E_PIPELINE with every problem, if there is one. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw fail('E_PIPELINE', { problems: this.sorted() });
  }
}
