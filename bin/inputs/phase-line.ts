/** A whole join line for a single phase: it accepts what `join run` accepts, and drops what the phase does not need. */
import type { FlagInput } from '@oclif/core/interfaces';
import { kubeadmLine } from './kubeadm-line.ts';
import { pastedWords } from './pasted.ts';

export interface PhaseLine {
  /** Flags of the phase. */
  own: FlagInput;
  /** All flags of `join run`. */
  ofRun: FlagInput;
  hasEndpoint: boolean;
}

const ENDPOINT = /^[\w.-]+:\d+$|^\[[\da-f:]+\]:\d+$/i;

/** As for `join run`, and with a note for each flag that the phase does not need. The errors of `kubeadmLine`. */
export function phaseLine(words: readonly string[], { own, ofRun, hasEndpoint }: PhaseLine) {
  const line = kubeadmLine(pastedWords(words), { ...ofRun, ...own });
  const argv: string[] = [];
  const dropped: string[] = [];
  for (let index = 0; index < line.argv.length; index++) {
    const word = line.argv[index] ?? '';
    const [, name = '', value] = /^--([a-z-]+)(=.*)?$/s.exec(word) ?? [];
    const takesValue = (own[name] ?? ofRun[name])?.type === 'option' && value === undefined;
    const isDropped = !Object.hasOwn(own, name) && Object.hasOwn(ofRun, name);
    if (isDropped) dropped.push(`--${name}`);
    else if (name === '' && !hasEndpoint && ENDPOINT.test(word)) dropped.push('the endpoint');
    else argv.push(word);
    if (!takesValue) continue;
    index++;
    const next = line.argv[index];
    if (!isDropped && next !== undefined) argv.push(next);
  }
  const notes = [...new Set(dropped)].map((what) => `${what} has no effect: this phase does not need it`);
  return { argv, off: line.off, notes: [...line.notes, ...notes] };
}
