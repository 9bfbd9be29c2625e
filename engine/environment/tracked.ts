/** Values that know where they were written: what a document says, with the place of each part of it. */
import { type Document, isAlias, isMap, isScalar, isSeq, type ParsedNode } from 'yaml';
import type { Locator, Path, Place, Text } from '../documents/place.ts';

export type Tracked = Scalar | List | Mapping;

interface Known {
  readonly place: Place;
  /** What stood here before an environment said otherwise. */
  readonly over?: Tracked;
}
export interface Scalar extends Known {
  readonly kind: 'scalar';
  readonly value: unknown;
}
export interface List extends Known {
  readonly kind: 'list';
  readonly items: readonly Tracked[];
}
export interface Mapping extends Known {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
}
export interface Entry {
  /** Of the key. */
  readonly key: Place;
  readonly value: Tracked;
}

/** Of a document that was read without errors, and so within the limits of `readYaml`. */
export function trackedOf(document: Document.Parsed<ParsedNode>, text: Text): Tracked {
  const placeOf = (node: ParsedNode): Place => text.place(node.range[0], node.range[1]);
  const track = (node: ParsedNode | null | undefined, outer: Place): Tracked => {
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

export function plainOf(tracked: Tracked): unknown {
  if (tracked.kind === 'scalar') return tracked.value;
  if (tracked.kind === 'list') return tracked.items.map(plainOf);
  return Object.fromEntries([...tracked.entries].map(([name, { value }]) => [name, plainOf(value)]));
}

export function partOf(tracked: Tracked | undefined, part: string | number): Tracked | undefined {
  if (tracked?.kind === 'map') return tracked.entries.get(String(part))?.value;
  return tracked?.kind === 'list' ? tracked.items[Number(part)] : undefined;
}

/** `tracked` with `value` at the key `name`; at `key`, where it is new. */
export function withEntry(tracked: Mapping, name: string, value: Tracked, key: Place = value.place): Mapping {
  const entries = new Map(tracked.entries);
  entries.set(name, { key: tracked.entries.get(name)?.key ?? key, value });
  return { ...tracked, entries };
}

export const textAt = (tracked: Tracked | undefined, part: string): string | undefined => {
  const found = partOf(tracked, part);
  return found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : undefined;
};

/** The places in a tracked value. */
export class TrackedLocator implements Locator {
  readonly #root: Tracked;

  constructor(root: Tracked) {
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

  #nearest(path: Path): Tracked {
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

/** `next` in the place of `before`, which it remembers. The same said again is no news. */
export function over<T extends Tracked>(next: T, before: Tracked | undefined): T {
  if (before === undefined) return next;
  if (isSamePlace(next.place, before.place)) return before.over === undefined ? next : { ...next, over: before.over };
  return { ...next, over: before };
}

/** RFC 7386 with a memory: mappings merge, whatever else replaces, null takes a key away. */
export function merged(base: Tracked | undefined, patch: Tracked): Tracked {
  if (patch.kind !== 'map') return over(patch, base);
  let result: Mapping =
    base?.kind === 'map' ? base : over({ kind: 'map', place: patch.place, entries: new Map<string, Entry>() }, base);
  for (const [name, { key, value }] of patch.entries) {
    if (value.kind === 'scalar' && value.value === null) {
      const entries = new Map(result.entries);
      entries.delete(name);
      result = { ...result, entries };
    } else result = withEntry(result, name, merged(partOf(result, name), value), key);
  }
  return result;
}
