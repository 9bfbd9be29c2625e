/** Writes fields at their new paths, as YAML with the comments of the old document. */
import { Document, isMap, isNode, isScalar, type Node, Pair, Scalar, YAMLMap } from 'yaml';
import { revealSecrets } from '../sdk/index.ts';
import { pathOf } from './fields.ts';
import type { WrittenConfiguration } from './load.ts';
import { apiVersionOf, kindOf, LATEST } from './versions.ts';

/** Paths with dots, and the value with its secrets. */
export interface Move {
  from: string;
  to: string;
  value: unknown;
  /** Whether the document has the same value. */
  isSame: boolean;
}

export function writeMoved({ document, isExact }: WrittenConfiguration, moves: readonly Move[]): string {
  const contents = new YAMLMap();
  // Quotes strings that YAML 1.1, which kubeadm reads, would treat as a boolean or a number.
  const target = new Document(contents, { compat: 'yaml-1.1' });
  for (const { from, to, value, isSame } of [...HEAD, ...moves]) {
    const source = pairAt(document.contents, pathOf(from));
    const old = isNode(source?.value) ? source.value : undefined;
    const node = isExact && isSame && old !== undefined ? old : target.createNode(revealSecrets(value));
    if (old !== undefined && node !== old) {
      copyComments(old, node);
      copyItemComments(old, node);
    }
    const pair = put(contents, pathOf(to), node);
    if (isNode(source?.key)) copyComments(source.key, pair.key, true);
  }
  target.commentBefore = document.commentBefore;
  target.comment = document.comment;
  copyMapComments(document.contents, contents);
  return target.toString({ lineWidth: 0 });
}

const HEAD: readonly Move[] = [
  { from: 'apiVersion', to: 'apiVersion', value: apiVersionOf(LATEST), isSame: false },
  { from: 'kind', to: 'kind', value: kindOf(LATEST), isSame: false },
];

type Written = Pair<Scalar<string>, Node>;

/** Adds a pair at `path`, and creates missing mappings. */
function put(map: YAMLMap, [name = '', ...rest]: readonly string[], node: Node): Written {
  const there = pairOf(map, name);
  if (rest.length > 0 && isMap(there?.value)) return put(there.value, rest, node);
  const inner = new YAMLMap();
  const pair: Written = new Pair(new Scalar(name), rest.length > 0 ? inner : node);
  map.items.push(pair);
  return rest.length > 0 ? put(inner, rest, node) : pair;
}

const pairOf = (map: unknown, name: string): Pair | undefined =>
  isMap(map) ? map.items.find(({ key }) => isScalar(key) && key.value === name) : undefined;

function pairAt(map: unknown, [name = '', ...rest]: readonly string[]): Pair | undefined {
  const pair = pairOf(map, name);
  return rest.length > 0 ? pairAt(pair?.value, rest) : pair;
}

/** YAML does not allow a comment between a key and a scalar value, so it moves before the key. */
function copyComments(from: Node, to: Node, isKey = false): void {
  if (isKey || !isScalar(to)) to.commentBefore ??= from.commentBefore ?? null;
  to.comment ??= from.comment ?? null;
}

/** Copies the comments of mappings that exist in both. */
function copyMapComments(from: unknown, to: YAMLMap): void {
  if (!isMap(from)) return;
  copyComments(from, to);
  for (const { key, value } of to.items) {
    const old = isScalar(key) ? pairOf(from, String(key.value)) : undefined;
    if (!isMap(value) || !isMap(old?.value)) continue;
    if (isNode(key) && isNode(old.key)) copyComments(old.key, key, true);
    copyMapComments(old.value, value);
  }
}

/** Copies the comments of a mapping that has become a list of names and values. */
function copyItemComments(from: Node, to: Node): void {
  if (!isMap(from) || !('items' in to)) return;
  for (const item of to.items) {
    if (!isMap(item)) continue;
    const old = pairOf(from, String(item.get('name')));
    const value = item.get('value', true);
    if (isNode(old?.key)) copyComments(old.key, item);
    if (isNode(old?.value) && value !== undefined) copyComments(old.value, value);
  }
}
