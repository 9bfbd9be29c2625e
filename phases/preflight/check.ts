/** The type of a check, and how its findings become results. */
import { minorOf } from '../../engine/node/index.ts';
import {
  type CheckResult,
  type Commands,
  clean,
  type Files,
  type Infer,
  isJoinError,
  type Runtime,
  type Services,
} from '../../engine/sdk/index.ts';
import type { DockerInfo } from './docker.ts';
import type { input } from './schema.ts';

export type Inputs = Infer<typeof input>;
export type Severity = 'error' | 'warning';

/** What a check can read. Facts that several checks need are determined once. */
export interface CheckContext {
  files: Files;
  services: Services;
  commands: Commands;
  runtime: Runtime;
  inputs: Inputs;
  /**
   * Whether this machine has joined under this node name. Files of that join are fine; later steps compare and update
   * them.
   */
  joinedBefore: Promise<boolean>;
  /** Version of the installed kubelet, such as `v1.30.2`. It takes 0.1 s. */
  kubeletVersion(): Promise<string>;
  docker(): Promise<DockerInfo>;
}

export interface Finding {
  isOk: boolean;
  evidence: string;
  /** Default: the severity of the check. */
  severity?: Severity;
  hint?: string;
}

export interface Check {
  /** kubeadm's name of the check. */
  name: string;
  severity: Severity;
  /** From this minor version of the kubelet on, an error is a warning, as in the kubeadm of that version. */
  warnsFrom?: number;
  /** False if the check does not apply to these inputs. */
  applies?: boolean;
  /** Condition under which the check passes, for docs/preflight.md. */
  passesIf: string;
  /** How to fix it. */
  hint: string;
  run(context: CheckContext): Promise<Finding | Finding[]>;
}

export const ok = (evidence: string): Finding => ({ isOk: true, evidence });
export const problem = (evidence: string, other: Pick<Finding, 'severity' | 'hint'> = {}): Finding => ({
  isOk: false,
  evidence,
  ...other,
});

/** Names a check after a path, like kubeadm. */
export const checkName = (kind: string, path: string): string => `${kind}-${path.replaceAll('/', '-')}`;

/** Runs a check. A check that cannot run is an error, whatever its severity. */
export async function resultsOf(
  check: Check,
  context: CheckContext,
  isIgnored: (check: string) => boolean,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const result = (severity: Severity) =>
    severity === 'error' && isIgnored(check.name) ? ('ignored' as const) : severity;
  try {
    const findings = [await check.run(context)].flat();
    const { warnsFrom } = check;
    const isWarning =
      warnsFrom !== undefined && findings.some(({ isOk }) => !isOk) && (await kubeletMinor(context)) >= warnsFrom;
    return findings.map(({ isOk, evidence, severity = check.severity, hint = check.hint }) => ({
      check: check.name,
      result: isOk ? 'ok' : result(isWarning ? 'warning' : severity),
      evidence: clean(evidence),
      hint: isOk ? '' : hint,
    }));
  } catch (error) {
    if (!isJoinError(error) || signal.aborted) throw error;
    return [{ check: check.name, result: result('error'), evidence: clean(error.message), hint: error.hint }];
  }
}

/** 0 if the version is unknown: the rules for old kubelets then apply. */
const kubeletMinor = ({ kubeletVersion }: CheckContext): Promise<number> => kubeletVersion().then(minorOf, () => 0);
