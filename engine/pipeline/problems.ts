/** Everything that is wrong with a YAML document, each problem at its line and column. */
import { type Document, isMap, isScalar, type LineCounter, type Node, type ParsedNode } from 'yaml';
import { fail, type Problem } from '../sdk/errors.ts';
import { clean } from '../sdk/text.ts';

export type Path = readonly (string | number)[];

/** Then the rest can wait: what is wrong with the first is most often wrong with all. */
const PROBLEMS_MAX = 100;

export class Problems {
  readonly #found: Problem[] = [];
  readonly #file: string;
  readonly #document: Document.Parsed<ParsedNode>;
  readonly #lines: LineCounter;
  readonly #max: number;

  /** E_PIPELINE is thrown at once where there are `max`. */
  constructor(file: string, document: Document.Parsed<ParsedNode>, lines: LineCounter, max = PROBLEMS_MAX) {
    this.#file = file;
    this.#document = document;
    this.#lines = lines;
    this.#max = max;
  }

  atOffset(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#found.push({ file: this.#file, line, column: col, message: clean(message) });
    if (this.#found.length === this.#max) this.throwIfAny();
  }

  /** At the value of `path`, or where there is none at its nearest parent. */
  at(path: Path, message: string): void {
    this.atOffset(this.#offsetOf(path), message);
  }

  /** Where the value of `path` is, or its nearest parent. */
  placeOf(path: Path): { file: string; line: number; column: number } {
    const { line, col } = this.#lines.linePos(this.#offsetOf(path));
    return { file: this.#file, line, column: col };
  }

  #offsetOf(path: Path): number {
    let length = path.length;
    while (length > 0 && !this.#node(path.slice(0, length))?.range) length--;
    return this.#node(path.slice(0, length))?.range?.[0] ?? 0;
  }

  /** At the key `key` of the mapping at `path`. */
  atKey(path: Path, key: string, message: string): void {
    const parent = this.#node(path);
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      : undefined;
    if (isScalar(pair?.key) && pair.key.range) this.atOffset(pair.key.range[0], message);
    else this.at(path, message);
  }

  /** All of them, in the order of the file. */
  sorted(): Problem[] {
    return this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  /** Throws E_PIPELINE with all of them if there is any. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw fail('E_PIPELINE', { problems: this.sorted() });
  }

  #node(path: Path): Node | undefined {
    return path.length === 0
      ? (this.#document.contents ?? undefined)
      : (this.#document.getIn(path, true) as Node | undefined);
  }
}
