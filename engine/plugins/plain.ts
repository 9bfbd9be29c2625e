/**
 * Copies values of a plugin as plain data: no cycles, no getters that run later, and no names that change what all
 * objects inherit.
 */
import { isSecret, Secret } from '../sdk/secret.ts';

const DEPTH_MAX = 32;
const NODES_MAX = 100_000;
const BYTES_MAX = 1 << 20;

/** A frozen copy of the parts of `value` that JSON can represent. Throws an Error of one line. */
export function plainData(value: unknown): unknown {
  const text = JSON.stringify(value);
  if (text.length > BYTES_MAX) throw new Error(`its description has more than ${BYTES_MAX} bytes`);
  return JSON.parse(text, (_, part) => (typeof part === 'object' && part !== null ? Object.freeze(part) : part));
}

/** A copy of the outputs with their secrets. `refuse` creates the error for a value that no output may have. */
export function plainOutputs(value: unknown, refuse: (problem: string) => Error): unknown {
  let [nodes, bytes] = [0, 0];
  const text = (part: string): string => {
    bytes += Buffer.byteLength(part);
    if (bytes > BYTES_MAX) throw refuse(`it has more than ${BYTES_MAX} bytes`);
    return part;
  };
  const copy = (part: unknown, depth: number): unknown => {
    if (++nodes > NODES_MAX) throw refuse(`it has more than ${NODES_MAX} values`);
    if (depth > DEPTH_MAX) throw refuse(`it is nested deeper than ${DEPTH_MAX} levels, or has a cycle`);
    if (isSecret(part)) return new Secret(text(String(part.reveal())));
    if (typeof part === 'string') return text(part);
    if (typeof part === 'number' || typeof part === 'boolean' || part === null) return part;
    if (Array.isArray(part)) return Array.from({ length: lengthOf(part) }, (_, index) => copy(part[index], depth + 1));
    if (typeof part !== 'object') throw refuse(`a ${typeof part} is not a JSON value`);
    const entries = Object.entries(part).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(
      entries.map(([name, inner]) => {
        if (name === '__proto__') throw refuse('no output can be named __proto__');
        return [text(name), copy(inner, depth + 1)];
      }),
    );
  };
  const lengthOf = ({ length }: readonly unknown[]): number => {
    if (length > NODES_MAX) throw refuse(`it has more than ${NODES_MAX} values`);
    return length;
  };
  return copy(value, 0);
}
