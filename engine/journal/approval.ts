/** Answers to approvals: the record, and the file in which an answer reaches the run. */
import { joineryPaths as paths } from '../sdk/paths.ts';
import { clean } from '../sdk/text.ts';

export interface Answer {
  decision: 'approved' | 'denied';
  /** Who answered. */
  by: string;
  reason: string;
  /** How the answer came; `deadline` if the time ran out first. */
  via: 'terminal' | 'command' | 'file' | 'deadline';
}

export const answerPath = (run: string, step: string): string => `${paths.runtime}/${run}/approval.${step}`;

const ANSWER_BYTES_MAX = 4_096;
const FORM = /^(approve|deny)\b(?: by (\S+) with join approve:)?[ \t]*([^\n]*)\n/;

/**
 * Reads `approve`, or `deny no window today`. The line must be complete: a file that ends in the middle of a line is
 * still being written.
 */
export function answerOf(content: Buffer): Answer | undefined {
  const text = content.subarray(0, ANSWER_BYTES_MAX).toString('utf8');
  const [, word, by, reason = ''] = FORM.exec(text) ?? [];
  if (word === undefined) return undefined;
  return {
    decision: word === 'approve' ? 'approved' : 'denied',
    by: clean(by ?? 'root'),
    reason: clean(reason),
    via: by === undefined ? 'file' : 'command',
  };
}

/** The line that `join approve` writes. */
export function answerText({ decision, by, reason }: Omit<Answer, 'via'>): string {
  const word = decision === 'approved' ? 'approve' : 'deny';
  const who = by.replace(/\s/g, '') || 'somebody';
  return `${word} by ${who} with join approve: ${clean(reason)}\n`;
}
