/** RFC 6902 on values that know where they were written: what an operation puts somewhere keeps its place. */
import type { Operation } from 'rfc6902';
import type { Place } from '../documents/place.ts';
import { type ApplyPatch, applyOperation } from '../sdk/json-patch.ts';
import { type Entry, type Mapping, plainOf, type Tracked } from './tracked.ts';

export interface PatchProblem {
  /** Which operation. */
  index: number;
  message: string;
}

/**
 * The library works on plain values. So it is given the same tree with a number for each scalar, which says what it was; and what
 * comes out of that is put together again. `operations` is a list of mappings, as its schema has checked.
 */
export function jsonPatched(
  base: Tracked,
  operations: readonly Tracked[],
  apply: ApplyPatch,
): { patched: Tracked; problem?: PatchProblem } {
  const book = new Book();
  let [numbered, plain] = [book.numbered(base), plainOf(base)];
  for (const [index, operation] of operations.entries()) {
    const written = plainOf(operation) as Operation;
    const document = { root: plain };
    const error = applyOperation(apply, document, written);
    if (error !== undefined) return { patched: base, problem: { index, message: error } };
    plain = document.root;
    if (written.op === 'test') continue;
    const holder = { root: numbered };
    const value = operation.kind === 'map' ? operation.entries.get('value')?.value : undefined;
    const numbers = value === undefined ? {} : { value: book.numbered(value) };
    applyOperation(apply, holder, { ...written, ...numbers } as Operation);
    numbered = holder.root;
    book.settle(numbered, operation.place);
  }
  return { patched: book.tracked(numbered, base.place) };
}

/** Scalars by number, and the containers of the plain tree with what they were. */
class Book {
  readonly #scalars: Tracked[] = [];
  readonly #containers = new WeakMap<object, { place: Place; keys: ReadonlyMap<string, Entry> }>();

  numbered(tracked: Tracked): unknown {
    if (tracked.kind === 'scalar') return this.#scalars.push(tracked) - 1;
    const plain =
      tracked.kind === 'list'
        ? tracked.items.map((item) => this.numbered(item))
        : Object.fromEntries([...tracked.entries].map(([name, { value }]) => [name, this.numbered(value)]));
    this.#containers.set(plain, { place: tracked.place, keys: tracked.kind === 'map' ? tracked.entries : new Map() });
    return plain;
  }

  /** What the operation has brought is where the operation is. */
  settle(plain: unknown, place: Place): void {
    if (typeof plain !== 'object' || plain === null) return;
    if (!this.#containers.has(plain)) this.#containers.set(plain, { place, keys: new Map() });
    for (const inner of Object.values(plain)) this.settle(inner, place);
  }

  tracked(plain: unknown, outer: Place): Tracked {
    if (typeof plain !== 'object' || plain === null)
      return this.#scalars[Number(plain)] ?? { kind: 'scalar', place: outer, value: plain };
    const { place, keys } = this.#containers.get(plain) ?? { place: outer, keys: new Map<string, Entry>() };
    if (Array.isArray(plain)) return { kind: 'list', place, items: plain.map((item) => this.tracked(item, place)) };
    const entries = Object.entries(plain).map(([name, inner]): [string, Entry] => {
      const value = this.tracked(inner, place);
      return [name, { key: keys.get(name)?.key ?? value.place, value }];
    });
    return { kind: 'map', place, entries: new Map(entries) } satisfies Mapping;
  }
}
