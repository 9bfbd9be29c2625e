/** JSON Patch (RFC 6902) on tracked values. A value that an operation adds or moves keeps its place. */
import type { Operation } from 'rfc6902';
import type { Place } from '../documents/place.ts';
import { type ApplyPatch, applyOperation } from '../sdk/json-patch.ts';
import { type Entry, type Mapping, plainOf, type TrackedValue } from './tracked.ts';

export interface PatchProblem {
  /** Index of the operation. */
  index: number;
  message: string;
}

/**
 * The library works on plain values. So it also patches a copy of the tree in which a number stands for each scalar,
 * and the result is translated back. The schema has checked that `operations` are mappings.
 */
export function applyJsonPatch(
  base: TrackedValue,
  operations: readonly TrackedValue[],
  apply: ApplyPatch,
): { patched: TrackedValue; problem?: PatchProblem } {
  const numbering = new Numbering();
  let [numbered, plain] = [numbering.numbered(base), plainOf(base)];
  for (const [index, operation] of operations.entries()) {
    const plainOperation = plainOf(operation) as Operation;
    const document = { root: plain };
    const error = applyOperation(apply, document, plainOperation);
    if (error !== undefined) return { patched: base, problem: { index, message: error } };
    plain = document.root;
    if (plainOperation.op === 'test') continue;
    const holder = { root: numbered };
    const value = operation.kind === 'map' ? operation.entries.get('value')?.value : undefined;
    const numbers = value === undefined ? {} : { value: numbering.numbered(value) };
    applyOperation(apply, holder, { ...plainOperation, ...numbers } as Operation);
    numbered = holder.root;
    numbering.place(numbered, operation.place);
  }
  return { patched: numbering.tracked(numbered, base.place) };
}

/** Remembers the scalar behind each number, and the place of each container of the numbered tree. */
class Numbering {
  readonly #scalars: TrackedValue[] = [];
  readonly #containers = new WeakMap<object, { place: Place; keys: ReadonlyMap<string, Entry> }>();

  numbered(tracked: TrackedValue): unknown {
    if (tracked.kind === 'scalar') return this.#scalars.push(tracked) - 1;
    const plain =
      tracked.kind === 'list'
        ? tracked.items.map((item) => this.numbered(item))
        : Object.fromEntries([...tracked.entries].map(([name, { value }]) => [name, this.numbered(value)]));
    this.#containers.set(plain, { place: tracked.place, keys: tracked.kind === 'map' ? tracked.entries : new Map() });
    return plain;
  }

  /** Gives containers without a place the place of the operation that added them. */
  place(plain: unknown, place: Place): void {
    if (typeof plain !== 'object' || plain === null) return;
    if (!this.#containers.has(plain)) this.#containers.set(plain, { place, keys: new Map() });
    for (const inner of Object.values(plain)) this.place(inner, place);
  }

  tracked(plain: unknown, outer: Place): TrackedValue {
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
