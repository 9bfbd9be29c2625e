/** Steps that wait until somebody says yes: what they ask, where an answer is looked for, and what counts as one. */

import { durationText } from '../documents/durations.ts';
import type { Host } from '../host/host.ts';
import type { Journal } from '../journal/journal.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import { paths } from '../sdk/paths.ts';
import { clean } from '../sdk/text.ts';

export interface Answer {
  decision: 'approved' | 'denied';
  /** Who. */
  by: string;
  /** Why. */
  reason: string;
  /** By what it came: `deadline` where nobody has answered. */
  via: 'terminal' | 'command' | 'file' | 'deadline';
}

export interface Question {
  run: string;
  step: string;
  message: string;
  until: Date;
  /** Where an answer may be put: the first word `approve` or `deny`, what follows is the reason. */
  path: string;
}

/** Asks whoever sits there; rejects when `signal` is aborted, since the answer has come from elsewhere. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Answer>;

export const answerPath = (run: string, step: string): string => `${paths.runtime}/${run}/approval.${step}`;

/** The outputs of such a step. */
export interface Approved {
  by: string;
  reason: string;
  at: string;
}

export interface Approval {
  step: string;
  message: string;
  deadlineMs: number;
  onTimeout: 'fail' | 'approve';
}

export interface Waiting {
  journal: Journal;
  host: Host;
  signal: AbortSignal;
  ask: Ask | undefined;
  waiting: (leftMs: number) => void;
  onQuestion: (question: Question) => void;
  tell: (text: string) => void;
}

/**
 * Waits for an answer until the deadline, which is journaled with the question: a run that is gone on with has no longer than that. A dry run
 * asks nobody, and tells what would be asked. E_APPROVAL_DENIED, E_APPROVAL_TIMEOUT.
 */
export async function approved(approval: Approval, to: Waiting): Promise<Approved> {
  const { step, message, deadlineMs } = approval;
  const { journal, host, signal, tell } = to;
  if (host.isDry === true) {
    tell(`would ask, for ${durationText(deadlineMs)}: ${message}`);
    return { by: '', reason: '', at: host.now().toISOString() };
  }
  const before = journal.history().approvals.get(step);
  if (before?.answer?.decision === 'approved') return outputsOf(before.answer, before.at);
  const isAnew = before === undefined || before.answer !== undefined;
  const until = isAnew ? new Date(host.now().getTime() + deadlineMs) : new Date(before.until);
  await journal.asked(step, message, until, isAnew);
  const question = { run: journal.id, step, message, until, path: answerPath(journal.id, step) };
  to.onQuestion(question);
  to.waiting(Math.max(0, until.getTime() - host.now().getTime()));
  const answer = await firstAnswer(question, approval, to);
  await journal.answered(step, answer);
  if (answer.decision === 'approved') {
    tell(`approved by ${answer.by}${answer.reason === '' ? '' : `: ${answer.reason}`}`);
    return outputsOf(answer, host.now().toISOString());
  }
  if (answer.via === 'deadline') throw signal.reason;
  throw fail('E_APPROVAL_DENIED', { step, by: answer.by, reason: answer.reason });
}

const outputsOf = ({ by, reason }: Answer, at: string): Approved => ({ by, reason, at });

/** Whichever comes first; the other is told that it need not wait any more. */
async function firstAnswer(question: Question, { onTimeout }: Approval, to: Waiting): Promise<Answer> {
  const answered = new AbortController();
  const until = AbortSignal.any([to.signal, answered.signal]);
  try {
    const ways = [answerInFile(question, to.host, until)];
    if (to.ask !== undefined) ways.push(to.ask(question, until));
    return await Promise.race(ways);
  } catch (error) {
    const { reason } = to.signal;
    if (!isJoinError(reason) || reason.code !== 'E_APPROVAL_TIMEOUT') throw error;
    const decision = onTimeout === 'approve' ? 'approved' : 'denied';
    return { decision, by: 'nobody', reason: 'the deadline has passed', via: 'deadline' };
  } finally {
    answered.abort(new Error('it is answered'));
  }
}

/** Watches for the file. What says neither is no answer yet. E_FILE for one of somebody else: its directory is root's alone, so this machine is not what it should be. */
async function answerInFile({ path }: Question, host: Host, signal: AbortSignal): Promise<Answer> {
  const isAnswer = (content: Buffer | undefined) => content !== undefined && answerOf(content) !== undefined;
  const content = (await host.wait({ kind: 'file', path, done: isAnswer }, signal)) as Buffer; // as for every file
  const stat = await host.read<'stat'>({ kind: 'stat', path }, signal);
  const isOurs = stat?.uid === undefined || stat.uid === 0 || stat.uid === process.getuid?.();
  const answer = answerOf(content);
  if (answer !== undefined && isOurs) return answer;
  throw fail('E_FILE', { path, what: 'is an answer that neither root nor who runs this has given' });
}

const FORM = /^(approve|deny)\b(?: by (\S+) with join approve:)?[ \t]*([^\n]*)\n/;

/** `approve`, or `deny no window today`, and the end of that line: half of a line is not yet an answer. */
export function answerOf(content: Buffer): Answer | undefined {
  const [, word, by, reason = ''] = FORM.exec(content.subarray(0, 4_096).toString('utf8')) ?? [];
  if (word === undefined) return undefined;
  return {
    decision: word === 'approve' ? 'approved' : 'denied',
    by: clean(by ?? 'root'),
    reason: clean(reason),
    via: by === undefined ? 'file' : 'command',
  };
}

/** What `join approve` puts there. */
export const answerText = ({ decision, by, reason }: Omit<Answer, 'via'>): string =>
  `${decision === 'approved' ? 'approve' : 'deny'} by ${by.replace(/\s/g, '') || 'somebody'} with join approve: ${clean(reason)}\n`;
