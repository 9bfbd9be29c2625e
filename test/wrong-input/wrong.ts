/** One thing that somebody gives wrongly, and all that they are told. */
import type { Sandbox } from '../../plugins/sandbox/index.ts';

export interface WrongInput {
  title: string;
  /** After `join run`. ENDPOINT, TOKEN, ID, PIN and FOLDER stand for what the cluster and the test have. */
  args: string[];
  variables?: Record<string, string>;
  /** Below FOLDER. */
  files?: Record<string, string>;
  /** There is a cluster, in which this is so. Left out: nobody answers at ENDPOINT. */
  cluster?: (sandbox: Sandbox) => unknown;
  /** The clock of the cluster, where it is not ours. */
  now?: () => Date;
  exitCode: number;
  /** All of it, from the code on. */
  text: string;
}

/** A line as kubeadm prints it. */
export const JOIN = ['ENDPOINT', '--token', 'TOKEN', '--discovery-token-ca-cert-hash', 'PIN'];
export const ZERO_PIN = `sha256:${'0'.repeat(64)}`;

const told =
  (code: string, hint: string) =>
  (...problems: string[]): string =>
    problems.length === 1
      ? `${code}: ${problems[0]}\n  → ${hint}`
      : [`${code}:`, ...problems.map((problem) => `  ${problem}`), `  → ${hint}`].join('\n');

export const input = told('E_INPUT', 'Add --help to see every flag.');
export const usage = told('E_USAGE', 'Add --help to see the arguments and flags of the command.');
export const config = told(
  'E_CONFIG',
  'schemas/kubeadm/ describes the fields of each version; join config validate FILE checks without joining.',
);
