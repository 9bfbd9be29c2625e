import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, encode, type Messages } from '../../engine/host/protobuf.ts';

const messages: Messages = {
  Outer: {
    name: [1, 'STRING'],
    isOn: [2, 'BOOL'],
    count: [3, 'INT32'],
    inner: [4, 'Inner'],
    many: [20, 'Inner', 'repeated'],
  },
  Inner: { text: [1, 'STRING'], number: [2, 'INT32'] },
  /** An older reader of the same. */
  Less: { isOn: [2, 'BOOL'] },
};

/** The same table, for a library that knows nothing of ours. */
const outer = (() => {
  const field = (name: string, number: number, type: Type, other: object = {}) => ({
    ...{ name, number, type, label: Label.OPTIONAL },
    ...other,
  });
  const inner = { typeName: '.t.Inner' };
  const file = create(FileDescriptorProtoSchema, {
    ...{ name: 't.proto', package: 't', syntax: 'proto3' },
    messageType: [
      {
        name: 'Outer',
        field: [
          field('name', 1, Type.STRING),
          field('isOn', 2, Type.BOOL),
          field('count', 3, Type.INT32),
          field('inner', 4, Type.MESSAGE, inner),
          field('many', 20, Type.MESSAGE, { ...inner, label: Label.REPEATED }),
        ],
      },
      { name: 'Inner', field: [field('text', 1, Type.STRING), field('number', 2, Type.INT32)] },
    ],
  });
  const described = createFileRegistry(file, () => undefined).getMessage('t.Outer');
  if (described === undefined) throw new Error('no such message');
  return described;
})();

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const innerMessage = fc.record({ text: fc.string({ unit: 'grapheme' }), number: int32 });
const outerMessage = fc.record({
  ...{ name: fc.string({ unit: 'grapheme' }), isOn: fc.boolean(), count: int32 },
  inner: fc.option(innerMessage, { nil: undefined }),
  many: fc.array(innerMessage),
});

test('what another library writes is read as it was meant', () => {
  fc.assert(
    fc.property(outerMessage, ({ inner, ...rest }) => {
      const bytes = Buffer.from(
        toBinary(outer, create(outer, { ...rest, ...(inner === undefined ? {} : { inner }) } as never)),
      );
      expect(decode(messages, 'Outer', bytes)).toEqual({ ...rest, inner });
      expect(decode(messages, 'Less', bytes)).toEqual({ isOn: rest.isOn });
    }),
  );
});

test('what is written is read by another library', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 500 }), fc.boolean(), (name, isOn) => {
      expect(fromBinary(outer, encode(messages, 'Outer', { name, isOn }))).toMatchObject({ name, isOn });
    }),
  );
});

test('what is left out is empty', () => {
  expect(decode(messages, 'Outer', Buffer.alloc(0))).toEqual({
    ...{ name: '', isOn: false, count: 0, inner: undefined, many: [] },
  });
});

test.each([
  ['ff', 'it ends in the middle of a number'],
  ['0a', 'it ends in the middle of a number'],
  ['0a05', 'it ends in the middle of a field'],
  ['0affffffff0f', 'it ends in the middle of a field'],
  ['10ffffffffffffffffffff01', 'a number has no end'],
  ['0b', 'wire type 3 is not known'],
  ['0805', 'a number where there should be a STRING'],
  ['120100', 'bytes where there should be a BOOL'],
  ['2205', 'it ends in the middle of a field'],
])('%s is no message: %s', (hex, message) => {
  expect(() => decode(messages, 'Outer', Buffer.from(hex, 'hex'))).toThrow(new Error(message));
});

test('any bytes are a message or an Error, and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decode(messages, 'Outer', Buffer.from(bytes));
      } catch (error) {
        expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
      }
    }),
    { numRuns: 2_000 },
  );
});
