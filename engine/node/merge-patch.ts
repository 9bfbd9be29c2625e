/** Merge patches (RFC 7396), and strategic merge patches. */

type Tree = Record<string, unknown>;
/** An integer beyond 2^53, `{ $integer }`, is a value like any other. */
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.hasOwn(value, '$integer');

/** RFC 7396: mappings are merged, null removes, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const merged: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else set(merged, key, mergePatch(own(merged, key), value));
  }
  return merged;
}

/** Field of a list → the field that identifies its items. Other lists are replaced. */
export type ListKeys = Readonly<Record<string, string>>;

/**
 * A strategic merge patch is a merge patch with `$patch: replace` and `$patch: delete` in mappings, which merges the
 * items of the lists in `listKeys`. A KubeletConfiguration has no such list. Throws an Error for other directives.
 */
export function strategicPatch(target: unknown, patch: unknown, listKeys: ListKeys = {}): unknown {
  if (!isTree(patch)) return patch;
  const { $patch: directive, ...rest } = patch;
  if (directive === 'replace') return rest;
  if (directive !== undefined && directive !== 'merge') throw new Error('$patch must be replace, merge or delete');
  const merged: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith('$')) throw new Error(`unknown directive ${key}`);
    const itemKey = Object.hasOwn(listKeys, key) ? listKeys[key] : undefined;
    if (value === null || (isTree(value) && value.$patch === 'delete')) delete merged[key];
    else if (itemKey !== undefined && Array.isArray(value))
      set(merged, key, patchedList(own(merged, key), value, itemKey, listKeys));
    else set(merged, key, strategicPatch(own(merged, key), value, listKeys));
  }
  return merged;
}

/** Items of the patch with the same key are merged into those of the list; others are added before them, as in Go. */
function patchedList(target: unknown, patch: readonly unknown[], itemKey: string, listKeys: ListKeys): unknown[] {
  const isReplaced = patch.some(
    (item) => isTree(item) && item.$patch === 'replace' && own(item, itemKey) === undefined,
  );
  let items = Array.isArray(target) && !isReplaced ? [...target] : [];
  const added: unknown[] = [];
  for (const item of patch) {
    if (!isTree(item)) throw new Error(`an item must be a mapping with ${itemKey}`);
    const id = own(item, itemKey);
    if (id === undefined && item.$patch === 'replace') continue;
    if (id === undefined) throw new Error(`an item has no ${itemKey}`);
    const at = items.findIndex((each) => own(each, itemKey) === id);
    if (item.$patch === 'delete') items = items.filter((_, index) => index !== at);
    else if (at < 0) added.push(strategicPatch({}, item, listKeys));
    else items[at] = strategicPatch(items[at], item, listKeys);
  }
  return [...added, ...items];
}

const own = (value: unknown, key: string): unknown =>
  isTree(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** Assignment would treat `__proto__` specially; here it is a key like any other. */
const set = (target: Tree, key: string, value: unknown): void =>
  void Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
