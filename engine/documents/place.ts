/** Finds the place of a value in its source file. */
import { type Document, isMap, isScalar, type LineCounter, type Node, type ParsedNode } from 'yaml';
import { printable } from '../sdk/text.ts';

export type Path = readonly (string | number)[];

/** Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /**
   * The line with its neighbours. Absent if the text may hold secrets. `linesOf` masks secrets and splits the text into
   * lines. It gets the whole text, because a secret may continue on lines that the frame does not show.
   */
  readonly frame?: (linesOf: (text: string) => readonly string[]) => string;
  /** The text at this place. */
  readonly text?: () => string;
}

/** Finds places in a document. */
export interface Locator {
  /** The place of the value at `path`, or of its nearest parent if there is no such value. */
  at(path: Path): Place;
  /** The place of `key` in the mapping at `path`, or of the mapping if it has no such key. */
  atKey(path: Path, key: string): Place;
}

/** The text of a file and its lines. Without the text, places have no frames. */
export class SourceText {
  readonly file: string;
  readonly #lines: LineCounter;
  readonly #text: string | undefined;

  constructor(file: string, lines: LineCounter, text?: string) {
    this.file = file;
    this.#lines = lines;
    this.#text = text;
  }

  /** The place of the characters from `offset` up to `end`. */
  place(offset: number, end = offset + 1): Place {
    const { line, col: column } = this.#lines.linePos(offset);
    const text = this.#text;
    const place = { file: this.file, line, column };
    if (text === undefined) return place;
    return {
      ...place,
      text: () => text.slice(offset, end),
      frame: (linesOf) => frameOf(linesOf(text), line, column, end - offset),
    };
  }
}

/** Finds places in a parsed YAML document. */
export class DocumentLocator implements Locator {
  readonly #text: SourceText;
  readonly #document: Document.Parsed<ParsedNode>;

  constructor(text: SourceText, document: Document.Parsed<ParsedNode>) {
    this.#text = text;
    this.#document = document;
  }

  at(path: Path): Place {
    let length = path.length;
    while (length > 0 && !this.#node(path.slice(0, length))?.range) length--;
    const [begin, end] = this.#node(path.slice(0, length))?.range ?? [0];
    return this.#text.place(begin, end);
  }

  atKey(path: Path, key: string): Place {
    const parent = this.#node(path);
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      : undefined;
    if (!isScalar(pair?.key) || !pair.key.range) return this.at(path);
    return this.#text.place(pair.key.range[0], pair.key.range[1]);
  }

  #node(path: Path): Node | undefined {
    return path.length === 0
      ? (this.#document.contents ?? undefined)
      : (this.#document.getIn(path, true) as Node | undefined);
  }
}

const WIDTH_MAX = 120;

/** The line with its neighbours, and the value underlined. */
function frameOf(lines: readonly string[], line: number, column: number, length: number): string {
  const numbers = [line - 1, line, line + 1].filter((number) => number === line || lines[number - 1]?.trim());
  const width = String(numbers.at(-1)).length;
  const end = Math.min(column - 1 + Math.max(length, 1), (lines[line - 1] ?? '').trimEnd().length, WIDTH_MAX);
  return numbers
    .flatMap((number) => {
      const text = printable(lines[number - 1] ?? '')
        .replaceAll('\t', ' ')
        .slice(0, WIDTH_MAX)
        .trimEnd();
      const row = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${text}`.trimEnd();
      if (number !== line || column > WIDTH_MAX) return [row];
      return [row, `  ${' '.repeat(width)} | ${' '.repeat(column - 1)}${'^'.repeat(Math.max(end - column + 1, 1))}`];
    })
    .join('\n');
}
