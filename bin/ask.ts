/** Questions to whoever sits at the terminal. */
import { userInfo } from 'node:os';
import type { Ask } from '../engine/run/approval.ts';
import { printable } from '../engine/sdk/index.ts';

export const isAnybodyThere = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Anything but a yes is a no. */
export async function confirmed(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

/** Nothing but yes or no is an answer. Rejects when `signal` is aborted: somebody else was faster. */
export const approval: Ask = async ({ message }, signal) => {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT')); // it stops the run, and not this question alone
  try {
    for (;;) {
      const word = (await lines.question(`${printable(message)} [yes/no] `, { signal })).trim();
      if (!/^(y(es)?|no?)$/i.test(word)) continue;
      const reason = (await lines.question('Why? ', { signal })).trim();
      return { decision: /^y/i.test(word) ? 'approved' : 'denied', by: userInfo().username, reason, via: 'terminal' };
    }
  } finally {
    lines.close();
  }
};

/** What is typed is not shown. */
export async function typedSecret(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const { Writable } = await import('node:stream');
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silence, terminal: true });
  process.stderr.write(`${question}: `); // only now does the terminal itself not show it either
  try {
    return (await lines.question('')).trim();
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
