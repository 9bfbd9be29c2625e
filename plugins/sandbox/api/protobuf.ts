/**
 * Reads the protobuf messages that kubectl 1.32 and later sends: an approved CSR, a SelfSubjectAccessReview, a Secret.
 * Source of the field numbers: kubernetes, staging/src/k8s.io/api, generated.proto.
 */
import { type Json, timestamp } from '../objects.ts';

type Message =
  | ('Unknown' | 'TypeMeta' | 'ObjectMeta' | 'CertificateSigningRequest' | 'CsrStatus' | 'CsrCondition')
  | ('SelfSubjectAccessReview' | 'ReviewSpec' | 'ResourceAttributes' | 'NonResourceAttributes' | 'Secret');
/** `data` is a map whose values become base64, as they are in JSON. */
type Type = 'text' | 'time' | 'map' | 'data' | Message;
type Fields = Record<number, { name: string; type: Type; repeated?: true }>;

const text = (name: string): Fields[number] => ({ name, type: 'text' });

/** Other fields are skipped: the server keeps its own values, or does not need them. */
const messages: Record<Message, Fields> = {
  Unknown: { 1: { name: 'typeMeta', type: 'TypeMeta' } },
  TypeMeta: { 1: text('apiVersion'), 2: text('kind') },
  ObjectMeta: {
    1: text('name'),
    2: text('generateName'),
    5: text('uid'),
    6: text('resourceVersion'),
    11: { name: 'labels', type: 'map' },
    12: { name: 'annotations', type: 'map' },
  },
  CertificateSigningRequest: { 1: { name: 'metadata', type: 'ObjectMeta' }, 3: { name: 'status', type: 'CsrStatus' } },
  CsrStatus: { 1: { name: 'conditions', type: 'CsrCondition', repeated: true } },
  CsrCondition: {
    1: text('type'),
    2: text('reason'),
    3: text('message'),
    6: text('status'),
    4: { name: 'lastUpdateTime', type: 'time' },
    5: { name: 'lastTransitionTime', type: 'time' },
  },
  SelfSubjectAccessReview: { 2: { name: 'spec', type: 'ReviewSpec' } },
  ReviewSpec: {
    1: { name: 'resourceAttributes', type: 'ResourceAttributes' },
    2: { name: 'nonResourceAttributes', type: 'NonResourceAttributes' },
  },
  ResourceAttributes: {
    1: text('namespace'),
    2: text('verb'),
    3: text('group'),
    5: text('resource'),
    6: text('subresource'),
    7: text('name'),
  },
  NonResourceAttributes: { 1: text('path'), 2: text('verb') },
  Secret: { 1: { name: 'metadata', type: 'ObjectMeta' }, 2: { name: 'data', type: 'data' }, 3: text('type') },
};
const KINDS = ['CertificateSigningRequest', 'SelfSubjectAccessReview', 'Secret'] as const;

const MAGIC = Buffer.from('k8s\0');
const RAW_FIELD = 2;
const VARINT = 0;
const BYTES = 2;

interface Field {
  number: number;
  /** Empty for numbers. */
  bytes: Buffer;
  value: number;
}

/** Undefined for a message that is not in the table. Throws RangeError for bytes that are not Kubernetes protobuf. */
export function readProtobuf(body: Buffer): Json | undefined {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw new RangeError('not a Kubernetes protobuf message');
  const envelope = body.subarray(MAGIC.length);
  const { typeMeta } = readMessage(envelope, 'Unknown');
  const { apiVersion, kind: named } = (typeMeta ?? {}) as Json;
  const kind = KINDS.find((one) => one === named);
  if (kind === undefined) return undefined;
  const raw = readFields(envelope).find(({ number }) => number === RAW_FIELD)?.bytes ?? Buffer.alloc(0);
  return { apiVersion, kind, ...readMessage(raw, kind) };
}

function readMessage(bytes: Buffer, message: Message): Json {
  const fields = messages[message];
  const result: Json = {};
  for (const { number, bytes: content } of readFields(bytes)) {
    const field = fields[number];
    if (field === undefined) continue;
    const value = readValue(content, field.type);
    if (field.type === 'map' || field.type === 'data')
      result[field.name] = { ...(result[field.name] as Json), ...(value as Json) };
    else if (field.repeated) result[field.name] = [...((result[field.name] ?? []) as unknown[]), value];
    else if (value !== undefined && value !== '') result[field.name] = value; // Go also writes empty strings
  }
  return result;
}

function readValue(bytes: Buffer, type: Type): unknown {
  if (type === 'text') return bytes.toString();
  const fields = type === 'time' || type === 'map' || type === 'data' ? readFields(bytes) : [];
  if (type === 'time') return fields[0] && timestamp(new Date(fields[0].value * 1000));
  if (type === 'map') return { [String(fields[0]?.bytes)]: String(fields[1]?.bytes ?? '') };
  if (type === 'data') return { [String(fields[0]?.bytes)]: (fields[1]?.bytes ?? Buffer.alloc(0)).toString('base64') };
  return readMessage(bytes, type);
}

function readFields(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    const number = readVarint(bytes, tag.end);
    const kind = tag.value % 8;
    if (kind !== VARINT && kind !== BYTES) throw new RangeError('unexpected wire type');
    at = kind === VARINT ? number.end : number.end + number.value;
    if (at > bytes.length) throw new RangeError('a field exceeds its message');
    fields.push({ number: Math.floor(tag.value / 8), bytes: bytes.subarray(number.end, at), value: number.value });
  }
  return fields;
}

function readVarint(bytes: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  for (let at = start; at < bytes.length && at < start + 10; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new RangeError('unterminated varint');
}
