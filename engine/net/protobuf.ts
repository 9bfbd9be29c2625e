/** Protocol buffers by a table of messages, without generated code. Source: the encoding of proto3. */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** A uint64 is a bigint. */
type Scalar = 'string' | 'bool' | 'int32' | 'uint64';

/**
 * Number and type of a field: a scalar, or the name of a message. An enum is an int32, and a map is a list of entries.
 * Lists of numbers, which are packed, are not supported.
 */
export type Field = readonly [number: number, type: string, repeated?: 'repeated'];

/** The fields of each message by name. */
export type Messages = Readonly<Record<string, Readonly<Record<string, Field>>>>;

type Value = Record<string, unknown>;

const SCALARS = ['string', 'bool', 'int32', 'uint64'];
const isScalar = (type: string): type is Scalar => SCALARS.includes(type);
const ABSENT: Record<Scalar, unknown> = { string: '', bool: false, int32: 0, uint64: 0n };

/** Encodes the fields of the table that `value` has. */
export function encodeMessage(messages: Messages, name: string, value: Value): Uint8Array {
  const writer = new BinaryWriter();
  for (const [field, [number, type, repeated]] of fieldsOf(messages, name)) {
    if (value[field] === undefined) continue;
    for (const item of repeated ? (value[field] as unknown[]) : [value[field]]) {
      if (!isScalar(type)) {
        writer.tag(number, WireType.LengthDelimited).bytes(encodeMessage(messages, type, item as Value));
        continue;
      }
      writer.tag(number, wireTypeOf(type));
      if (type === 'string') writer.string(item as string);
      else if (type === 'bool') writer.bool(item as boolean);
      else if (type === 'uint64') writer.uint64(item as bigint);
      else writer.int32(item as number);
    }
  }
  return writer.finish();
}

/**
 * Decodes the fields of the table and skips all others. A missing scalar has its default, a missing list is empty, a
 * missing message is undefined. Throws an Error if the bytes are not a message.
 */
export function decodeMessage(messages: Messages, name: string, bytes: Uint8Array): Value {
  const fields = new Map(fieldsOf(messages, name).map(([field, about]) => [about[0], { field, about }]));
  const value: Value = {};
  for (const [field, [, type, repeated]] of fieldsOf(messages, name))
    if (repeated) value[field] = [];
    else if (isScalar(type)) value[field] = ABSENT[type];
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const known = fields.get(number);
    if (known === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const { field, about } = known;
    if (wireType !== wireTypeOf(about[1])) throw new Error(`field ${field} has the wire type ${wireType}`);
    const item = itemOf(messages, about[1], reader);
    if (about[2]) (value[field] as unknown[]).push(item);
    else value[field] = item;
  }
  return value;
}

function fieldsOf(messages: Messages, name: string): [string, Field][] {
  const fields = messages[name];
  if (fields === undefined) throw new TypeError(`unknown message ${name}`);
  return Object.entries(fields);
}

const wireTypeOf = (type: string): WireType =>
  isScalar(type) && type !== 'string' ? WireType.Varint : WireType.LengthDelimited;

function itemOf(messages: Messages, type: string, reader: BinaryReader): unknown {
  if (!isScalar(type)) return decodeMessage(messages, type, reader.bytes());
  if (type === 'string') return reader.string();
  if (type === 'uint64') return BigInt(reader.uint64());
  return type === 'bool' ? reader.bool() : reader.int32();
}
