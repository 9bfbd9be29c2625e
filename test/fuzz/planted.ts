/** Targets that are broken on purpose. They prove that the fuzzer finds each kind of finding. */
import fc from 'fast-check';
import { fail } from '../../engine/sdk/index.ts';
import type { Target } from './target.ts';

const shape = fc.string({ maxLength: 8 }).map((text) => Buffer.from(text));
const plant = (run: (bytes: Buffer) => unknown): Target => ({ run, shape, tokens: [...'JOIN'] });

/** Four letters, each behind its own branch. Without coverage this would need four billion attempts. */
function behindBranches(bytes: Buffer, then: () => void): void {
  if (bytes[0] === 0x4a) if (bytes[1] === 0x4f) if (bytes[2] === 0x49) if (bytes[3] === 0x4e) then();
}

export const planted: Record<string, Target> = {
  'planted-stranger': plant((bytes) => behindBranches(bytes, () => Reflect.get(undefined as never, 'x'))),
  'planted-error': plant(() => {
    throw new Error('undocumented');
  }),
  'planted-lines': {
    ...plant(() => {
      throw new Error('one\ntwo');
    }),
    throwsErrors: true,
  },
  'planted-hang': plant(() => {
    for (;;);
  }),
  'planted-never': plant(() => new Promise(() => undefined)),
  'planted-slow': plant(() => {
    const startCpu = process.cpuUsage();
    for (let cpu = { user: 0, system: 0 }; cpu.user + cpu.system < 1_100_000; ) cpu = process.cpuUsage(startCpu);
  }),
  'planted-memory': plant(() => {
    Buffer.alloc(300 << 20, 1);
  }),
  'planted-heap': plant(() => {
    const all: number[][] = [];
    for (;;) all.push(Array<number>(1_000_000).fill(0.5));
  }),
  'planted-recursion': plant(function down(bytes: Buffer): number {
    return down(bytes) + 1;
  }),
  'planted-exit': plant(() => process.abort()),
  'planted-later': plant(async () => {
    void Promise.reject(new TypeError('unhandled rejection'));
  }),
  'planted-pollution': plant(() => {
    Object.defineProperty(Object.prototype, 'polluted', { value: 1, configurable: true });
  }),
  'planted-escape': plant(() => {
    throw fail('E_FILE', { path: '\u001b[2J', what: 'x' });
  }),
  'planted-bug': plant(() => {
    throw fail('E_EFFECT_UNDECLARED', { what: 'x' });
  }),
  'planted-sound': plant(() => {
    throw fail('E_FILE', { path: '/x', what: 'x' });
  }),
};
