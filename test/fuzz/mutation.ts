/** Bytes → other bytes: what every fuzzer does to an input, with a generator of random numbers that can be repeated. */

/** Marsaglia's xorshift, 32 bits. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }
  below(limit: number): number {
    return limit <= 0 ? 0 : this.next() % limit;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T; // no list here is empty
  }
}

/** What lengths, counts and signs go wrong at. */
const EDGE_BYTES = [0x00, 0x01, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xc0, 0xed, 0xef, 0xff];
const INSERTED_BYTES_MAX = 32;

type Mutator = (bytes: Buffer, random: Random, other: Buffer, tokens: readonly string[]) => Buffer;

const replaced = (bytes: Buffer, at: number, removed: number, inserted: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);
/** A piece of `bytes`, most often a small one. */
const pieceOf = (bytes: Buffer, random: Random): Buffer => {
  const start = random.below(bytes.length);
  return bytes.subarray(start, start + 1 + random.below(random.below(4) === 0 ? bytes.length : INSERTED_BYTES_MAX));
};

const mutators: readonly Mutator[] = [
  function flipBit(bytes, random) {
    const copy = Buffer.from(bytes);
    const at = random.below(copy.length);
    if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  },
  function setByte(bytes, random) {
    const byte = random.below(2) === 0 ? random.pick(EDGE_BYTES) : random.below(256);
    return replaced(bytes, random.below(bytes.length), 1, Uint8Array.of(byte));
  },
  function remove(bytes, random) {
    return replaced(bytes, random.below(bytes.length), pieceOf(bytes, random).length, Uint8Array.of());
  },
  function repeat(bytes, random) {
    const piece = pieceOf(bytes, random);
    const times = 1 + random.below(random.below(8) === 0 ? 300 : 3);
    return replaced(bytes, random.below(bytes.length + 1), 0, Buffer.concat(Array(times).fill(piece)));
  },
  function move(bytes, random) {
    const piece = pieceOf(bytes, random);
    return replaced(bytes, random.below(bytes.length), piece.length, piece);
  },
  function insertToken(bytes, random, _other, tokens) {
    const token = tokens.length === 0 ? '\n' : random.pick(tokens);
    return replaced(bytes, random.below(bytes.length + 1), 0, Buffer.from(token));
  },
  function overwriteWithToken(bytes, random, _other, tokens) {
    const token = Buffer.from(tokens.length === 0 ? '\n' : random.pick(tokens));
    return replaced(bytes, random.below(bytes.length), token.length, token);
  },
  function splice(bytes, random, other) {
    return Buffer.concat([
      bytes.subarray(0, random.below(bytes.length + 1)),
      other.subarray(random.below(other.length)),
    ]);
  },
  function insertFromOther(bytes, random, other) {
    return replaced(bytes, random.below(bytes.length + 1), 0, pieceOf(other, random));
  },
  function changeNumber(bytes, random) {
    const numbers = [...bytes.toString('latin1').matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { index, 0: digits } = random.pick(numbers);
    const other = random.pick(['0', '-1', '1e999', '99999999999999999999', String(Number(digits) + 1), `${digits}0`]);
    return replaced(bytes, index, digits.length, Buffer.from(other));
  },
];

/** `bytes` after one to eight changes; `other` is another input, to take pieces of. */
export function mutated(
  bytes: Buffer,
  random: Random,
  other: Buffer,
  tokens: readonly string[],
  bytesMax: number,
): Buffer {
  let result = bytes.subarray(0, bytesMax);
  for (let left = 1 + random.below(random.below(3) === 0 ? 8 : 2); left > 0; left--)
    result = random.pick(mutators)(result, random, other, tokens).subarray(0, bytesMax);
  return result;
}
