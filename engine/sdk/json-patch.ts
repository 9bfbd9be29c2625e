/** JSON Patch (RFC 6902). The library is only loaded if there is a patch to apply. */
import type { Operation } from 'rfc6902';
import { defined } from './fields.ts';
import { valueText } from './text.ts';

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

export type ApplyPatch = typeof import('rfc6902')['applyPatch'];

/**
 * Applies a JSON Patch to a copy of the document, and returns the copy. Throws an Error that names the failed
 * operation.
 * @experimental
 */
export async function applyJsonPatch(document: unknown, operations: unknown): Promise<unknown> {
  if (!Array.isArray(operations)) throw new Error('a JSON patch must be a list of operations');
  const { applyPatch } = await import('rfc6902');
  const holder = { root: structuredClone(document) };
  for (const [index, operation] of operations.entries()) {
    const wrong = applyOperation(applyPatch, holder, operation);
    if (wrong !== undefined) throw new Error(`operation ${index + 1}: ${wrong}`);
  }
  return holder.root;
}

/**
 * Applies one operation to `root`, which an operation with an empty path replaces. Returns the problem, if the
 * operation fails.
 */
export function applyOperation(
  apply: ApplyPatch,
  document: { root: unknown },
  operation: Operation,
): string | undefined {
  const { op, path, from } = (operation ?? {}) as { op?: unknown; path?: unknown; from?: unknown };
  if (!isPointer(path)) return 'path must be empty or begin with /';
  if (from !== undefined && !isPointer(from)) return 'from must be empty or begin with /';
  if (typeof op !== 'string' || !OPERATIONS.includes(op))
    return `op ${op === undefined ? 'is missing' : `is ${valueText(op)}`}: it must be one of ${OPERATIONS.join(', ')}`;
  const below = {
    ...operation,
    path: `/root${path}`,
    ...defined({ from: from === undefined ? undefined : `/root${from}` }),
  };
  try {
    const [error] = apply(document, [below as Operation]);
    if (error === undefined || error === null) return undefined;
    if (error.name === 'MissingError') return `cannot ${op} ${path || 'the root'}: the path does not exist`;
    return error.name === 'TestError' ? `the test of ${path || 'the root'} fails` : `${op} lacks a field that it needs`;
  } catch {
    return `cannot ${op} ${path || 'the root'}: the path cannot be used`;
  }
}

const isPointer = (text: unknown): text is string => typeof text === 'string' && /^(\/|$)/.test(text);
