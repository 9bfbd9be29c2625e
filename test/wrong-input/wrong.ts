/** One wrong input, and the whole error text for it. */
import type { Sandbox } from '../../plugins/sandbox/index.ts';

export interface WrongInput {
  title: string;
  /** Arguments of `join run`. ENDPOINT, TOKEN, ID, PIN and FOLDER are placeholders for the values of the test. */
  args: string[];
  variables?: Record<string, string>;
  /** Below FOLDER. */
  files?: Record<string, string>;
  /** Prepares the cluster. Without it, no server answers at ENDPOINT. */
  cluster?: (sandbox: Sandbox) => unknown;
  /** The clock of the cluster (default: the clock of this machine). */
  now?: () => Date;
  exitCode: number;
  /** The whole error, from its code on. */
  text: string;
}

/** A line as kubeadm prints it. */
export const JOIN = ['ENDPOINT', '--token', 'TOKEN', '--discovery-token-ca-cert-hash', 'PIN'];
export const ZERO_PIN = `sha256:${'0'.repeat(64)}`;

const errorText =
  (code: string, hint: string) =>
  (...problems: string[]): string =>
    problems.length === 1
      ? `${code}: ${problems[0]}\n  → ${hint}`
      : [`${code}:`, ...problems.map((problem) => `  ${problem}`), `  → ${hint}`].join('\n');

export const input = errorText('E_INPUT', 'Add --help to see every flag.');
export const usage = errorText('E_USAGE', 'Add --help to see the arguments and flags of the command.');
export const config = errorText(
  'E_CONFIG',
  'schemas/kubeadm/ describes the fields of each version; join config validate FILE checks without joining.',
);
