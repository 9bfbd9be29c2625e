import { fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messages } from '../../../engine/host/cri/messages.ts';
import { decodeMessage, encodeMessage, type Messages } from '../../../engine/net/protobuf.ts';
import { runtimeService } from '../../helpers/runtime-service.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const TABLE: Messages = {
  Pod: { name: [1, 'string'], ready: [2, 'bool'], restarts: [3, 'int32'], labels: [4, 'Label', 'repeated'] },
  Label: { key: [1, 'string'], value: [2, 'string'], of: [3, 'Pod'] },
};
const decode = (hex: string) => decodeMessage(TABLE, 'Pod', bytes(hex));

describe('protocol buffers', () => {
  test('a message is read as the library with generated code writes it, and the other way round', () => {
    const text = fc.string({ unit: 'grapheme' });
    const sandbox = fc.record({
      id: text,
      metadata: fc.option(fc.record({ name: text, namespace: text }), { nil: undefined }),
      state: fc.constantFrom(0, 1),
    });
    const schema = runtimeService('v1').methods.find(({ name }) => name === 'ListPodSandbox')?.output;
    if (schema === undefined) throw new Error('the service has no such call');
    fc.assert(
      fc.property(fc.array(sandbox, { maxLength: 4 }), (items) => {
        const encoded = encodeMessage(messages, 'ListPodSandboxResponse', { items });
        expect(decodeMessage(messages, 'ListPodSandboxResponse', encoded)).toEqual({ items });
        const theirs = toBinary(schema, fromBinary(schema, encoded));
        expect(decodeMessage(messages, 'ListPodSandboxResponse', theirs)).toEqual({ items });
      }),
    );
  });

  test('a missing scalar has its default, a missing list is empty, and a missing message is undefined', () => {
    expect(decode('')).toEqual({ name: '', ready: false, restarts: 0, labels: [] });
    expect(decode('22 00')).toMatchObject({ labels: [{ key: '', value: '' }] });
  });

  test('fields that the table does not have are skipped, whatever their type', () => {
    expect(decode('7a 01 41  78 05  79 0000000000000000  7d 00000000  0a 01 61')).toMatchObject({ name: 'a' });
  });

  test('a 64-bit number keeps all its digits', () => {
    const table: Messages = { Member: { ID: [1, 'uint64'], urls: [3, 'string', 'repeated'] } };
    const member = { ID: 0xfe9e05c52164694dn, urls: ['a', 'b'] };
    expect(decodeMessage(table, 'Member', encodeMessage(table, 'Member', member))).toEqual(member);
    expect(decodeMessage(table, 'Member', bytes(''))).toEqual({ ID: 0n, urls: [] });
  });

  test.each([
    ['a text that is cut off', '0a 05 61'],
    ['a number in place of a text', '08 01'],
    ['a text in place of a number', '12 01 61'],
    ['a field with the number 0', '02 01 61'],
    ['a number without an end', '18 ff ff ff ff ff ff ff ff ff ff ff'],
    ['a message that is longer than its list', '22 05 0a 01 61'],
  ])('bytes that are not a message are refused: %s', (_, hex) => {
    expect(() => decode(hex)).toThrow();
  });
});
