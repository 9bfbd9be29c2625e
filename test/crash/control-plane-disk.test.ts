/** A control plane in memory whose disk is full from one write of its join on. */
import { beforeAll, expect, test } from 'vitest';
import { differences } from '../helpers/joined-state.ts';
import { MemoryControlPlane } from '../helpers/memory-control-plane.ts';
import type { Outcome, Trees } from '../helpers/memory-outcome.ts';

/** All of the writes take some minutes. */
const EVERY = 7;
const WRITE = /^before (open|writeFile|appendFile|mkdir|symlink) |^amid writing /;

let untouched: MemoryControlPlane;
let trees: Trees;
let count = 0;
beforeAll(async () => {
  ({ untouched, trees } = await MemoryControlPlane.fresh());
  await untouched.copy().act('run', 0, (where) => {
    if (WRITE.test(where)) count++;
  });
}, 60_000);

const full = (where: string) =>
  Object.assign(new Error(`ENOSPC: no space left on device, ${where}`), {
    code: 'ENOSPC',
    errno: -28,
    syscall: 'write',
  });

/** From that write on, the disk is full until the run has ended. */
function fillAt(machine: MemoryControlPlane, write: number): Promise<Outcome> {
  let seen = 0;
  return machine.act('run', 0, (where) => {
    if (WRITE.test(where) && ++seen >= write) throw full(where);
  });
}

test('a join whose disk is full at any write ends with its code, and is then undone or completed', async () => {
  expect(count).toBeGreaterThan(300);
  const problems: string[] = [];
  const codes = new Set<string>();
  for (let write = 1; write <= count; write += EVERY) {
    const left = untouched.copy();
    const { status, code = '', message } = await fillAt(left, write);
    codes.add(code || status);
    // After the last change, only the record that the run has ended is lost.
    const isComplete = status === 'succeeded' && differences(trees.after, left.tree()).length === 0;
    if (!isComplete && code !== 'E_FILE') problems.push(`write ${write}: ${status} ${code} ${message}`);
    const twin = left.copy();
    for (const text of await left.problemsAfterUndo(trees)) problems.push(`write ${write}, undone: ${text}`);
    for (const text of await twin.problemsAfterResume(trees)) problems.push(`write ${write}, resumed: ${text}`);
  }
  console.log(`full disk: ${Math.ceil(count / EVERY)} of ${count} writes, ${[...codes].join(', ')}`);
  expect(problems).toEqual([]);
}, 1_800_000);
