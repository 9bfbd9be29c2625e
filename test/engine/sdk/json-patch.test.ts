/** JSON Patch, as the SDK hands it to phases. */
import { describe, expect, test } from 'vitest';
import { applyJsonPatch } from '../../../engine/sdk/index.ts';
import { thrownBy } from '../../helpers/errors.ts';

describe('a JSON patch', () => {
  // RFC 6902, appendix A.
  test.each<[unknown, unknown[], unknown]>([
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    [{ foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    [{ baz: 'qux', foo: 'bar' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo', foo: 'bar' }],
    [
      { foo: { bar: 1 }, qux: {} },
      [{ op: 'move', from: '/foo/bar', path: '/qux/thud' }],
      { foo: {}, qux: { thud: 1 } },
    ],
    [{ foo: ['a', 'b', 'c'] }, [{ op: 'move', from: '/foo/0', path: '/foo/2' }], { foo: ['b', 'c', 'a'] }],
    [{ baz: 'qux' }, [{ op: 'test', path: '/baz', value: 'qux' }], { baz: 'qux' }],
    [{ a: { b: 1, c: 2 } }, [{ op: 'test', path: '/a', value: { c: 2, b: 1 } }], { a: { b: 1, c: 2 } }],
    [{ '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
    [{ a: 1 }, [{ op: 'copy', from: '/a', path: '/b' }], { a: 1, b: 1 }],
    [{ a: 1 }, [{ op: 'replace', path: '', value: 2 }], 2],
    [{ foo: null }, [{ op: 'test', path: '/foo', value: null }], { foo: null }],
  ])('a JSON patch changes %j by %j to %j', async (document, operations, result) => {
    const before = structuredClone(document);
    expect(await applyJsonPatch(document, operations)).toEqual(result);
    expect(document).toEqual(before);
  });

  test.each<[unknown, unknown, string]>([
    [{ baz: 'qux' }, [{ op: 'test', path: '/baz', value: 'bar' }], 'operation 1: the test of /baz fails'],
    [
      { foo: 'bar' },
      [{ op: 'add', path: '/baz/bat', value: 'qux' }],
      'operation 1: cannot add /baz/bat: the path does not exist',
    ],
    [{ a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }], 'operation 1: cannot add /a/2: the path does not exist'],
    [{ a: [1] }, [{ op: 'remove', path: '/a/01' }], 'operation 1: cannot remove /a/01: the path does not exist'],
    [{ a: {} }, [{ op: 'move', from: '/a', path: '/a/b' }], 'operation 1: cannot move /a/b: the path does not exist'],
    [{}, [{ op: 'add', path: 'a', value: 1 }], 'operation 1: path must be empty or begin with /'],
    [{}, [{ op: 'add', path: '/a' }], 'operation 1: add lacks a field that it needs'],
    [{}, [{ op: 'test', path: '/toString', value: 1 }], 'operation 1: the test of /toString fails'],
    [{}, [7], 'operation 1: path must be empty or begin with /'],
    [{}, [{ op: 'no', path: '' }], 'operation 1: op is no: it must be one of add, remove, replace, move, copy, test'],
    [
      {},
      [{ path: '/a', value: 1 }],
      'operation 1: op is missing: it must be one of add, remove, replace, move, copy, test',
    ],
  ])('a JSON patch does not change %j if %j fails', async (document, operations, message) => {
    expect(await thrownBy(() => applyJsonPatch(document, operations))).toMatchObject({ message });
  });
});
