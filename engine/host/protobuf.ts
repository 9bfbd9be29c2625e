/** Protocol buffers of proto3, as far as the CRI needs them: from a table of fields to bytes and back. Source: the encoding of protobuf.dev. */

export type Scalar = 'STRING' | 'BOOL' | 'INT32';
/** `type` is a scalar, or the name of another message. */
export type Field = readonly [number: number, type: string, repeated?: 'repeated'];
/** Message → field → its number and type. Fields that are not here are skipped. */
export type Messages = Readonly<Record<string, Readonly<Record<string, Field>>>>;

const VARINT = 0;
const BYTES = 2;
/** Of the wire types that have one. */
const FIXED_BYTES: Record<number, number> = { 1: 8, 5: 4 };
const VARINT_BYTES_MAX = 10;
const ABSENT: Record<string, unknown> = { STRING: '', BOOL: false, INT32: 0 };

/** Throws an Error where the bytes are no such message. Left out: a text is empty, a number 0, a list empty, a message undefined. */
export function decode(messages: Messages, type: string, bytes: Buffer): Record<string, unknown> {
  const fields = Object.entries(messages[type] ?? {});
  const message = Object.fromEntries(
    fields.map(([name, [, kind, repeated]]) => [name, repeated === undefined ? ABSENT[kind] : []]),
  );
  for (let at = 0; at < bytes.length; ) {
    const [tag, begin] = varint(bytes, at);
    const [value, end] = valueAt(bytes, begin, tag & 7);
    at = end;
    const [name, field] = fields.find(([, [number]]) => number === tag >>> 3) ?? [];
    if (name === undefined || field === undefined) continue;
    const [, kind, repeated] = field;
    const read = typeof value === 'number' ? numberOf(kind, value) : contentOf(messages, kind, value);
    if (repeated === undefined) message[name] = read;
    else (message[name] as unknown[]).push(read);
  }
  return message;
}

function numberOf(kind: string, value: number): boolean | number {
  if (kind === 'BOOL') return value !== 0;
  if (kind === 'INT32') return value | 0;
  throw new Error(`a number where there should be a ${kind}`);
}

function contentOf(messages: Messages, kind: string, value: Buffer): unknown {
  if (kind === 'STRING') return value.toString('utf8');
  if (kind in ABSENT) throw new Error(`bytes where there should be a ${kind}`);
  return decode(messages, kind, value);
}

/** The value at an offset, and where the next field begins. */
function valueAt(bytes: Buffer, at: number, wireType: number): [number | Buffer, number] {
  if (wireType === VARINT) return varint(bytes, at);
  const [length, begin] = wireType === BYTES ? varint(bytes, at) : [FIXED_BYTES[wireType], at];
  if (length === undefined) throw new Error(`wire type ${wireType} is not known`);
  const end = begin + length;
  if (end > bytes.length) throw new Error('it ends in the middle of a field');
  return [bytes.subarray(begin, end), end];
}

/** Its lowest 32 bits, and where it ends. */
function varint(bytes: Buffer, from: number): [number, number] {
  let value = 0;
  for (let index = 0; index < VARINT_BYTES_MAX; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) throw new Error('it ends in the middle of a number');
    if (index < 5) value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return [value >>> 0, from + index + 1];
  }
  throw new Error('a number has no end');
}

/** A message of texts and truths alone. */
export function encode(messages: Messages, type: string, message: Readonly<Record<string, string | boolean>>): Buffer {
  const parts = Object.entries(message).map(([name, value]) => {
    const [number] = messages[type]?.[name] ?? [];
    if (number === undefined) throw new TypeError(`${type} has no field ${name}`);
    if (typeof value === 'boolean') return Buffer.from([(number << 3) | VARINT, value ? 1 : 0]);
    const text = Buffer.from(value);
    return Buffer.concat([Buffer.from([(number << 3) | BYTES]), varintOf(text.length), text]);
  });
  return Buffer.concat(parts);
}

function varintOf(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
