/** JSON Patch (RFC 6902), by the library for it, which is loaded where there is a patch to apply. */
import type { Operation } from 'rfc6902';

export type ApplyPatch = typeof import('rfc6902')['applyPatch'];

/** The document after every operation; it is not changed itself. Throws an Error that names the operation which could not be done. */
export async function applyJsonPatch(document: unknown, operations: unknown): Promise<unknown> {
  if (!Array.isArray(operations)) throw new Error('a JSON patch is a list of operations');
  const { applyPatch } = await import('rfc6902');
  const holder = { root: structuredClone(document) };
  for (const [index, operation] of operations.entries()) {
    const wrong = applyOperation(applyPatch, holder, operation);
    if (wrong !== undefined) throw new Error(`operation ${index + 1}: ${wrong}`);
  }
  return holder.root;
}

/** Changes `root`: a key of another document, so that an operation may be about the whole of it. What is wrong with the operation, if anything is. */
export function applyOperation(
  apply: ApplyPatch,
  document: { root: unknown },
  operation: Operation,
): string | undefined {
  const { op, path, from } = (operation ?? {}) as { op?: string; path?: unknown; from?: unknown };
  if (!isPointer(path)) return 'path must be empty or begin with /';
  if (from !== undefined && !isPointer(from)) return 'from must be empty or begin with /';
  const below = { ...operation, path: `/root${path}`, ...(from === undefined ? {} : { from: `/root${from}` }) };
  try {
    const [error] = apply(document, [below as Operation]);
    if (error === undefined || error === null) return undefined;
    if (error.name === 'MissingError') return `there is nothing at ${path || 'the root'} that it could ${op}`;
    return error.name === 'TestError' ? `the test of ${path || 'the root'} fails` : `${op} needs more than it says`;
  } catch (error) {
    return (error as Error).message.replaceAll('/root', '');
  }
}

const isPointer = (text: unknown): text is string => typeof text === 'string' && /^(\/|$)/.test(text);
