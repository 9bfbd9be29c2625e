/** Merge patches (RFC 7396), and the part of strategic merge patches that applies to a KubeletConfiguration. */

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

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

/**
 * A KubeletConfiguration has no list whose items are merged. A strategic patch is therefore a merge patch with
 * `$patch: replace` and `$patch: delete` in mappings. Throws an Error for other directives.
 */
export function strategicPatch(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const { $patch: directive, ...rest } = patch;
  if (directive === 'replace') return rest;
  if (directive !== undefined && directive !== 'merge') throw new Error('$patch must be replace, merge or delete');
  const merged: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith('$')) throw new Error(`unknown directive ${key}`);
    if (value === null || (isTree(value) && value.$patch === 'delete')) delete merged[key];
    else set(merged, key, strategicPatch(own(merged, key), value));
  }
  return merged;
}

const own = (value: unknown, key: string): unknown =>
  isTree(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** Assignment would treat `__proto__` specially; here it is a key like any other. */
const set = (target: Tree, key: string, value: unknown): void =>
  void Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
