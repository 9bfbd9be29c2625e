import { describe, expect, test } from 'vitest';
import { type Answer, answerOf, answerText } from '../../../engine/journal/approval.ts';

describe('an answer', () => {
  test.each<[string, Partial<Answer> | undefined]>([
    ['approve\n', { decision: 'approved', by: 'root', reason: '', via: 'file' }],
    ['deny it is Friday\nand more\n', { decision: 'denied', by: 'root', reason: 'it is Friday', via: 'file' }],
    ['approve \u001b[31mred\n', { decision: 'approved', reason: '[31mred' }],
    ['approve', undefined],
    ['approved\n', undefined],
    ['yes\n', undefined],
    ['', undefined],
  ])('the answer %j of an administrator is read as %j', (text, expected) => {
    const answer = answerOf(Buffer.from(text));
    if (expected === undefined) expect(answer).toBeUndefined();
    else expect(answer).toMatchObject(expected);
  });

  test('the answer of join approve is read as it was written', () => {
    for (const answer of [
      { decision: 'approved', by: 'alice', reason: 'by bob with join approve: no' },
      { decision: 'denied', by: 'bob', reason: '' },
    ] as const)
      expect(answerOf(Buffer.from(answerText(answer)))).toEqual({ ...answer, via: 'command' });
  });
});
