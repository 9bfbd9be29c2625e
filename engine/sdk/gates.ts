/** Feature gates, with the rules of kubeadm's `--feature-gates`. */
import { didYouMean } from './text.ts';

/**
 * A feature gate of a phase.
 * @experimental
 */
export interface Gate {
  /** Its name is case-sensitive. */
  readonly name: string;
  readonly stage: 'ALPHA' | 'BETA' | 'GA' | 'DEPRECATED';
  readonly default: boolean;
  /** First version of kubeadm that has the gate. */
  readonly since: string;
  /** Last version of kubeadm that has it; absent if it still exists. */
  readonly until?: string;
  /** What the gate decides; if no phase uses it, which component reads it. */
  readonly what: string;
}

/**
 * The line of kubeadm's help for a gate: `CoreDNS=true|false (ALPHA - default=false)`. A GA gate has no stage there.
 * @experimental
 */
export const gateLine = ({ name, stage, default: value }: Gate): string =>
  `${name}=true|false (${stage === 'GA' ? '' : `${stage} - `}default=${value})`;

/**
 * A boolean in the spelling of Go's strconv.ParseBool; undefined for other words.
 * @experimental
 */
export const goBoolean = (word: string): boolean | undefined => BOOLEANS.get(word);

const BOOLEANS = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

/**
 * Parses `A=true,B=false`. Returns the values and every problem. If a gate occurs twice, its last value counts.
 * @experimental
 */
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
      problems.push(`unknown gate ${gate}${didYouMean(gate, names) || `; known gates: ${names.join(', ')}`}`);
    else if (rest.length === 0) problems.push(`${gate} has no value: write ${gate}=true or ${gate}=false`);
    else if (value === undefined) problems.push(`${gate}=${word} is neither true nor false`);
    else values.set(gate, value);
  }
  return { values, problems };
}
