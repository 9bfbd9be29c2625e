/** Questions at the terminal. If the terminal is lost before the answer, the question counts as unanswered. */
import { once } from 'node:events';
import { userInfo } from 'node:os';
import type { Interface } from 'node:readline/promises';
import type { Ask } from '../../engine/run/approval.ts';
import { printable } from '../../engine/sdk/index.ts';

/** Whether there is a terminal to ask at. */
export const isInteractive = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Anything but "y" or "yes" is a no. */
export async function confirm(question: string): Promise<boolean> {
  const lines = await openLines();
  try {
    return /^y(es)?$/i.test((await answerTo(`${question} [y/N] `, lines)) ?? '');
  } finally {
    lines.close();
  }
}

/** Asks until the answer is yes or no. Rejects when `signal` is aborted: the answer came in another way. */
export const askForApproval: Ask = async ({ message }, signal) => {
  const lines = await openLines();
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT')); // Ctrl-C stops the run, not only this question
  try {
    for (;;) {
      const word = await answerTo(`${printable(message)} [yes/no] `, lines, signal);
      if (word !== undefined && !/^(y(es)?|no?)$/i.test(word)) continue;
      const reason = word === undefined ? undefined : await answerTo('Reason: ', lines, signal);
      if (word === undefined || reason === undefined) return await aborted(signal);
      return { decision: /^y/i.test(word) ? 'approved' : 'denied', by: userInfo().username, reason, via: 'terminal' };
    }
  } finally {
    lines.close();
  }
};

/** Asks without an echo. */
export async function askForSecret(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const { Writable } = await import('node:stream');
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silence, terminal: true });
  process.stderr.write(`${question}: `); // readline has turned the terminal's own echo off by now
  try {
    return (await answerTo('', lines)) ?? '';
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

/** Undefined if the terminal is lost, or the user pressed Ctrl-D. */
async function answerTo(question: string, lines: Interface, signal?: AbortSignal): Promise<string | undefined> {
  const over = once(lines, 'close').then(
    () => undefined,
    () => undefined,
  );
  const answer = await Promise.race([lines.question(question, signal === undefined ? {} : { signal }), over]);
  return answer?.trim();
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

async function openLines(): Promise<Interface> {
  const { createInterface } = await import('node:readline/promises');
  return createInterface({ input: process.stdin, output: process.stderr });
}
