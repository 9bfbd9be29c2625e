/**
 * Waits at an approval until an answer arrives: at the terminal, from `join approve`, in a file, or by the deadline.
 */
import { durationText } from '../documents/durations.ts';
import type { Host } from '../host/host.ts';
import { type Answer, answerOf, answerPath } from '../journal/approval.ts';
import type { Journal } from '../journal/journal.ts';
import type { Approval, Approved } from '../pipeline/approval.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
export interface Question {
  run: string;
  step: string;
  message: string;
  until: Date;
  /** The file in which an answer may arrive: first `approve` or `deny`, then the reason. */
  path: string;
}

/** Asks at the terminal. Rejects when `signal` is aborted, because the answer arrived another way. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Answer>;

export interface ApprovalRequest extends Approval {
  step: string;
  message: string;
}

export interface ApprovalContext {
  journal: Journal;
  host: Host;
  signal: AbortSignal;
  /** Absent if there is no terminal. */
  ask: Ask | undefined;
  /** Stops the step's time limit and starts the approval's deadline. */
  waiting: (leftMs: number) => void;
  /** The returned function is called when the question no longer waits for an answer. */
  onQuestion: (question: Question) => () => void;
  onAnswer: (answer: Answer) => void;
  log: (text: string) => void;
}

/**
 * Waits for an answer until the deadline. The journal keeps the deadline with the question, so a resumed run gets no
 * extra time. A dry run only reports the question. E_APPROVAL_DENIED, E_APPROVAL_TIMEOUT.
 */
export async function waitForApproval(request: ApprovalRequest, context: ApprovalContext): Promise<Approved> {
  const { step, message, deadlineMs } = request;
  const { journal, host, signal, log } = context;
  if (host.isDry === true) {
    log(`would ask, for ${durationText(deadlineMs)}: ${message}`);
    return { by: '', reason: '', at: host.now().toISOString() };
  }
  const earlier = journal.history().approvals.get(step);
  if (earlier?.answer?.decision === 'approved') return approvedBy(earlier.answer, earlier.at);
  const question = await journaledQuestion(request, context);
  const ended = context.onQuestion(question);
  context.waiting(Math.max(0, question.until.getTime() - host.now().getTime()));
  const answer = await firstAnswer(question, request, context).finally(ended);
  await journal.answered(step, answer);
  context.onAnswer(answer);
  if (answer.decision === 'approved') {
    log(`approved by ${answer.by}${answer.reason === '' ? '' : `: ${answer.reason}`}`);
    return approvedBy(answer, host.now().toISOString());
  }
  if (answer.via === 'deadline') throw signal.reason;
  throw fail('E_APPROVAL_DENIED', { step, by: answer.by, reason: answer.reason });
}

const approvedBy = ({ by, reason }: Answer, at: string): Approved => ({ by, reason, at });

/**
 * A question that is still open keeps its deadline and its answer file. After a denial, the question is asked again.
 */
async function journaledQuestion(request: ApprovalRequest, { journal, host }: ApprovalContext): Promise<Question> {
  const { step, message, deadlineMs } = request;
  const earlier = journal.history().approvals.get(step);
  const isOpen = earlier !== undefined && earlier.answer === undefined;
  const until = isOpen ? new Date(earlier.until) : new Date(host.now().getTime() + deadlineMs);
  if (isOpen) await journal.repeatQuestion();
  else await journal.asked(step, message, until);
  return { run: journal.id, step, message, until, path: answerPath(journal.id, step) };
}

/** The first answer counts. It cancels the other ways to wait. */
async function firstAnswer(question: Question, { onTimeout }: Approval, context: ApprovalContext): Promise<Answer> {
  const { signal, ask, host } = context;
  const answered = new AbortController();
  const until = AbortSignal.any([signal, answered.signal]);
  try {
    const ways = [answerInFile(question, host, until)];
    if (ask !== undefined) ways.push(ask(question, until));
    return await Promise.race(ways);
  } catch (error) {
    const { reason } = signal;
    if (!isJoinError(reason) || reason.code !== 'E_APPROVAL_TIMEOUT') throw error;
    const decision = onTimeout === 'approve' ? 'approved' : 'denied';
    return { decision, by: 'nobody', reason: 'the deadline has passed', via: 'deadline' };
  } finally {
    answered.abort(new Error('the question is answered'));
  }
}

/**
 * Watches the answer file. A file that says neither "approve" nor "deny" is ignored. Only root can write to the
 * directory, so a file of another user means that the machine has been tampered with: E_FILE.
 */
async function answerInFile({ path }: Question, host: Host, signal: AbortSignal): Promise<Answer> {
  const isAnswer = (content: Buffer | undefined) => content !== undefined && answerOf(content) !== undefined;
  const content = (await host.wait({ kind: 'file', path, done: isAnswer }, signal)) as Buffer;
  const stat = await host.read<'stat'>({ kind: 'stat', path }, signal);
  const isTrusted = stat?.uid === undefined || stat.uid === 0 || stat.uid === process.getuid?.();
  const answer = answerOf(content);
  if (answer !== undefined && isTrusted) return answer;
  throw fail('E_FILE', { path, what: 'is an answer from neither root nor the user of this run' });
}
