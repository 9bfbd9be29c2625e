/** Questions at the terminal. */
import { userInfo } from 'node:os';
import type { Ask } from '../../engine/run/approval.ts';
import { printable } from '../../engine/sdk/index.ts';

/** Whether there is a terminal to ask at. */
export const isInteractive = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Anything but "y" or "yes" is a no. */
export async function confirm(question: string): Promise<boolean> {
  const lines = await openLines();
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

/** Asks until the answer is yes or no. Rejects when `signal` is aborted: another answer came first. */
export const askForApproval: Ask = async ({ message }, signal) => {
  const lines = await openLines();
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT')); // Ctrl-C stops the run, not only this question
  try {
    for (;;) {
      const word = (await lines.question(`${printable(message)} [yes/no] `, { signal })).trim();
      if (!/^(y(es)?|no?)$/i.test(word)) continue;
      const reason = (await lines.question('Reason: ', { signal })).trim();
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
    return (await lines.question('')).trim();
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

async function openLines() {
  const { createInterface } = await import('node:readline/promises');
  return createInterface({ input: process.stdin, output: process.stderr });
}
