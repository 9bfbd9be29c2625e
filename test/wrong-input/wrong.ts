/** One invalid input, and the whole message about it. */
import type { Sandbox } from '../../plugins/sandbox/index.ts';

export interface WrongInput {
  title: string;
  /** After `join run`. ENDPOINT, TOKEN, ID, PIN and FOLDER stand for what the cluster and the test have. */
  args: string[];
  variables?: Record<string, string>;
  /** Below FOLDER. */
  files?: Record<string, string>;
  /** Prepares the cluster. Default: no server answers at ENDPOINT. */
  cluster?: (sandbox: Sandbox) => unknown;
  /** The clock of the cluster (default: that of this machine). */
  now?: () => Date;
  exitCode: number;
  /** The whole message, from the error code on. */
  text: string;
}

/** A line as kubeadm prints it. */
export const JOIN = ['ENDPOINT', '--token', 'TOKEN', '--discovery-token-ca-cert-hash', 'PIN'];
export const ZERO_PIN = `sha256:${'0'.repeat(64)}`;

const messageWith =
  (code: string, hint: string) =>
  (...problems: string[]): string =>
    problems.length === 1
      ? `${code}: ${problems[0]}\n  → ${hint}`
      : [`${code}:`, ...problems.map((problem) => `  ${problem}`), `  → ${hint}`].join('\n');

export const input = messageWith('E_INPUT', 'Add --help to see every flag.');
export const usage = messageWith('E_USAGE', 'Add --help to see the arguments and flags of the command.');
export const config = messageWith(
  'E_CONFIG',
  'schemas/kubeadm/ describes the fields of each version. To check the file without joining: join config validate FILE',
);
