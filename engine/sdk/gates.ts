/** Feature gates: switches for what is not for everybody. Source of their rules: kubeadm's `--feature-gates`. */
import { didYouMean } from './text.ts';

export interface Gate {
  /** As it is typed; upper and lower case are not the same. */
  readonly name: string;
  readonly stage: 'ALPHA' | 'BETA' | 'GA' | 'DEPRECATED';
  readonly default: boolean;
  /** The first kubeadm that has it. */
  readonly since: string;
  /** The last one; left out: it is still there. */
  readonly until?: string;
  /** What it decides; of a gate that no phase hooks on, who reads it instead. */
  readonly what: string;
}

/** `CoreDNS=true|false (ALPHA - default=false)`, as in kubeadm's help: what is GA has no stage. */
export const gateLine = ({ name, stage, default: value }: Gate): string =>
  `${name}=true|false (${stage === 'GA' ? '' : `${stage} - `}default=${value})`;

/** As Go's strconv.ParseBool has it. */
export const goBoolean = (word: string): boolean | undefined => BOOLEANS.get(word);

const BOOLEANS = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

/** `A=true,B=false` → what it says, and every problem of it. Of a gate that is there twice, the last one counts. */
export function parseGates(text: string, known: readonly Gate[]) {
  const values = new Map<string, boolean>();
  const problems: string[] = [];
  const names = known.map(({ name }) => name);
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const [name = '', ...rest] = item.split('=');
    const [gate, word] = [name.trim(), rest.join('=').trim()];
    const value = BOOLEANS.get(word);
    if (!names.includes(gate))
      problems.push(`there is no gate ${gate}${didYouMean(gate, names) || `; known are ${names.join(', ')}`}`);
    else if (rest.length === 0) problems.push(`${gate} has no value: write ${gate}=true or ${gate}=false`);
    else if (value === undefined) problems.push(`${gate}=${word} is neither true nor false`);
    else values.set(gate, value);
  }
  return { values, problems };
}
