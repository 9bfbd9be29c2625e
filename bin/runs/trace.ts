/** The file of `join run --trace`. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { reasonOf } from '../../engine/limits/errno.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunEvent } from '../../engine/run/events.ts';
import { fail } from '../../engine/sdk/index.ts';
import { Trace } from '../render/trace.ts';

export interface OpenTrace {
  onEvent(event: RunEvent): void;
  save(): void;
}

/** Opens the file before anything is changed: E_INPUT if it cannot be written. */
export function openTrace(file: string, { steps, finally: last }: Plan): OpenTrace {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'w', 0o600);
  } catch (error) {
    throw fail('E_INPUT', { problems: [`--trace: cannot write ${file}: ${reasonOf(error)}`] }, error);
  }
  const trace = new Trace([...steps, ...(last?.steps ?? [])].map(({ id }) => id));
  return {
    onEvent: (event) => trace.onEvent(event),
    save() {
      try {
        writeSync(descriptor, trace.text());
        closeSync(descriptor);
      } catch (error) {
        process.stderr.write(`Warning: cannot write ${file}: ${reasonOf(error)}\n`);
      }
    },
  };
}
