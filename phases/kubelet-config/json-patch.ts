/** Changes of JSON documents: merge patches (RFC 7396), JSON patches (RFC 6902), and what of strategic ones this configuration knows. */

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
 * A KubeletConfiguration has no list whose items are merged, so a strategic patch is a merge patch with `$patch: replace` and
 * `$patch: delete` in mappings. Throws an Error for other directives.
 */
export function strategicPatch(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const { $patch: directive, ...rest } = patch;
  if (directive === 'replace') return rest;
  if (directive !== undefined && directive !== 'merge') throw new Error('$patch may be replace, merge or delete');
  const merged: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith('$')) throw new Error(`the directive ${key} is not known`);
    if (value === null || (isTree(value) && value.$patch === 'delete')) delete merged[key];
    else set(merged, key, strategicPatch(own(merged, key), value));
  }
  return merged;
}

/** RFC 6902. Throws an Error that names the operation which could not be done; `document` itself is not changed. */
export function jsonPatch(document: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw new Error('a JSON patch is a list of operations');
  let root = { '': structuredClone(document) };
  for (const [index, operation] of operations.entries())
    try {
      root = { '': operated(root, operation as Tree) };
    } catch (error) {
      throw new Error(`operation ${index + 1}: ${(error as Error).message}`);
    }
  return root[''];
}

function operated(root: { '': unknown }, operation: Tree): unknown {
  const { op, path, from, value } = isTree(operation) ? operation : {};
  const to = pointer('path', path);
  switch (op) {
    case 'add':
      put(to, root, value);
      break;
    case 'replace':
      take(to, root);
      put(to, root, value);
      break;
    case 'remove':
      take(to, root);
      break;
    case 'move':
      if (`${path}/`.startsWith(`${from}/`) && path !== from) throw new Error('it moves a part into itself');
      put(to, root, take(pointer('from', from), root));
      break;
    case 'copy':
      put(to, root, structuredClone(at(pointer('from', from), root)));
      break;
    case 'test':
      if (sorted(at(to, root)) !== sorted(value)) throw new Error(`${path} is not what the test wants`);
      break;
    default:
      throw new Error('op must be add, replace, remove, move, copy or test');
  }
  return root[''];
}

/** RFC 6901, from a mapping with the document under the empty name. */
function pointer(name: string, text: unknown): string[] {
  if (typeof text !== 'string' || !/^(\/|$)/.test(text)) throw new Error(`${name} must be empty or begin with /`);
  return text.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function at(path: readonly string[], root: unknown): unknown {
  let found = root;
  for (const part of path) {
    const value = Array.isArray(found) ? found[indexIn(found, part)] : own(found, part);
    if (value === undefined) throw new Error(`there is no ${path.join('/')}`);
    found = value;
  }
  return found;
}

function put(path: readonly string[], root: unknown, value: unknown): void {
  if (value === undefined) throw new Error('value is missing');
  const [parent, last] = [at(path.slice(0, -1), root), path.at(-1) ?? ''];
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : indexIn(parent, last);
    if (index > parent.length) throw new Error(`there is no ${path.join('/')}`);
    parent.splice(index, 0, value);
  } else if (isTree(parent)) set(parent, last, value);
  else throw new Error(`${path.slice(0, -1).join('/')} is neither a list nor a mapping`);
}

function take(path: readonly string[], root: unknown): unknown {
  const value = at(path, root);
  const [parent, last] = [at(path.slice(0, -1), root), path.at(-1) ?? ''];
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last), 1);
  else delete (parent as Tree)[last];
  return value;
}

function indexIn(list: readonly unknown[], part: string): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(part)) throw new Error(`${part} is no place in a list of ${list.length}`);
  return Number(part);
}

const own = (value: unknown, key: string): unknown =>
  isTree(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** `__proto__` too is only a name. */
const set = (target: Tree, key: string, value: unknown): void =>
  void Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });

/** The same text for what is the same but for the order of its keys. */
const sorted = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, inner) => (isTree(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner));
