/** The values of a document, each with the place in the file that it comes from. */
import { type Document, isAlias, isMap, isScalar, isSeq, type ParsedNode } from 'yaml';
import type { Locator, Path, Place, SourceText } from '../documents/place.ts';

export type TrackedValue = Scalar | List | Mapping;

interface Placed {
  readonly place: Place;
  /** The value that an environment replaced. */
  readonly replaced?: TrackedValue;
}
export interface Scalar extends Placed {
  readonly kind: 'scalar';
  readonly value: unknown;
}
export interface List extends Placed {
  readonly kind: 'list';
  readonly items: readonly TrackedValue[];
}
export interface Mapping extends Placed {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
}
export interface Entry {
  /** The place of the key. */
  readonly key: Place;
  readonly value: TrackedValue;
}

/** `document` has no syntax errors, and is within the limits of `readYaml`. */
export function trackedOf(document: Document.Parsed<ParsedNode>, text: SourceText): TrackedValue {
  const placeOf = (node: ParsedNode): Place => text.place(node.range[0], node.range[1]);
  const track = (node: ParsedNode | null | undefined, outer: Place): TrackedValue => {
    if (node === null || node === undefined) return { kind: 'scalar', place: outer, value: null };
    if (isAlias(node)) return track(node.resolve(document) as ParsedNode | undefined, placeOf(node));
    const place = placeOf(node);
    if (isSeq<ParsedNode>(node)) return { kind: 'list', place, items: node.items.map((item) => track(item, place)) };
    if (!isMap<ParsedNode, ParsedNode | null>(node))
      return { kind: 'scalar', place, value: isScalar(node) ? node.value : null };
    const entries = node.items.map(({ key, value }): [string, Entry] => {
      const name = isScalar(key) ? String(key.value) : '';
      return [name, { key: placeOf(key), value: track(value, placeOf(key)) }];
    });
    return { kind: 'map', place, entries: new Map(entries) };
  };
  return track(document.contents, text.place(0));
}

export function plainOf(tracked: TrackedValue): unknown {
  if (tracked.kind === 'scalar') return tracked.value;
  if (tracked.kind === 'list') return tracked.items.map(plainOf);
  return Object.fromEntries([...tracked.entries].map(([name, { value }]) => [name, plainOf(value)]));
}

export function partOf(tracked: TrackedValue | undefined, part: string | number): TrackedValue | undefined {
  if (tracked?.kind === 'map') return tracked.entries.get(String(part))?.value;
  return tracked?.kind === 'list' ? tracked.items[Number(part)] : undefined;
}

/** Sets `name` to `value`. `key` is the place of the key if it is new. */
export function withEntry(tracked: Mapping, name: string, value: TrackedValue, key: Place = value.place): Mapping {
  const entries = new Map(tracked.entries);
  entries.set(name, { key: tracked.entries.get(name)?.key ?? key, value });
  return { ...tracked, entries };
}

export const textAt = (tracked: TrackedValue | undefined, part: string): string | undefined => {
  const found = partOf(tracked, part);
  return found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : undefined;
};

/** Finds places in a tracked value. */
export class TrackedLocator implements Locator {
  readonly #root: TrackedValue;

  constructor(root: TrackedValue) {
    this.#root = root;
  }

  at(path: Path): Place {
    return this.#nearest(path).place;
  }

  atKey(path: Path, key: string): Place {
    const parent = this.#nearest(path);
    const entry = parent.kind === 'map' ? parent.entries.get(key) : undefined;
    return entry?.key ?? parent.place;
  }

  #nearest(path: Path): TrackedValue {
    let at = this.#root;
    for (const part of path) {
      const next = partOf(at, part);
      if (next === undefined) break;
      at = next;
    }
    return at;
  }
}

export const isSamePlace = (a: Place, b: Place): boolean =>
  a.file === b.file && a.line === b.line && a.column === b.column;

/** `next`, with `before` as the value it replaced. A value does not replace itself. */
export function replacing<T extends TrackedValue>(next: T, before: TrackedValue | undefined): T {
  if (before === undefined) return next;
  if (isSamePlace(next.place, before.place))
    return before.replaced === undefined ? next : { ...next, replaced: before.replaced };
  return { ...next, replaced: before };
}

/**
 * Merges like RFC 7386: mappings merge, null removes a key, and any other value replaces the old one, which stays
 * known.
 */
export function mergePatch(base: TrackedValue | undefined, patch: TrackedValue): TrackedValue {
  if (patch.kind !== 'map') return replacing(patch, base);
  let result: Mapping =
    base?.kind === 'map'
      ? base
      : replacing({ kind: 'map', place: patch.place, entries: new Map<string, Entry>() }, base);
  for (const [name, { key, value }] of patch.entries) {
    if (value.kind === 'scalar' && value.value === null) {
      const entries = new Map(result.entries);
      entries.delete(name);
      result = { ...result, entries };
    } else result = withEntry(result, name, mergePatch(partOf(result, name), value), key);
  }
  return result;
}
