/** The type of a check, and how its findings become results. */
import { holds, type releaseFacts } from '../../engine/node/index.ts';
import {
  type CheckResult,
  type Commands,
  clean,
  type Files,
  type Infer,
  isJoinError,
  type Runtime,
  type Services,
  type Web,
} from '../../engine/sdk/index.ts';
import type { DockerInfo } from './docker.ts';
import type { input } from './schema.ts';

export type Inputs = Infer<typeof input>;
export type Severity = 'error' | 'warning';
type FactName = keyof typeof releaseFacts;

/** What a check can read. Facts that several checks need are determined once. */
export interface CheckContext {
  files: Files;
  services: Services;
  commands: Commands;
  runtime: Runtime;
  web: Web;
  inputs: Inputs;
  /**
   * Whether this machine has joined under this node name. Files of that join are fine; later steps compare and update
   * them.
   */
  joinedBefore: Promise<boolean>;
  /** Version of the installed kubelet, such as `v1.30.2`. It takes 0.1 s. */
  kubeletVersion(): Promise<string>;
  /**
   * Whether a fact about releases holds for the installed kubelet. If its version is unknown, the oldest rules apply.
   */
  holds(fact: FactName): Promise<boolean>;
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
  /** The fact from whose release on kubeadm has the check. */
  addedBy?: FactName;
  /** The fact from whose release on kubeadm does not have the check. */
  droppedBy?: FactName;
  /** The fact from whose release on an error is a warning. */
  warnsBy?: FactName;
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

/**
 * Runs a check. A check that cannot run is an error, whatever its severity. The release of the kubelet decides about a
 * check only after it has failed, or if the version is determined anyway.
 */
export async function resultsOf(
  check: Check,
  context: CheckContext,
  isIgnored: (check: string) => boolean,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const { standalone } = context.inputs;
  if (standalone && !(await isOfRelease(check, context))) return [];
  const findings = await findingsOf(check, context, signal);
  const passes = findings.every(({ isOk }) => isOk);
  if (!standalone && !passes && !(await isOfRelease(check, context))) return [];
  const isWarning = !passes && check.warnsBy !== undefined && (await context.holds(check.warnsBy));
  const resultOf = (severity: Severity) => {
    if (isWarning) return 'warning' as const;
    return severity === 'error' && isIgnored(check.name) ? ('ignored' as const) : severity;
  };
  return findings.map(({ isOk, evidence, severity = check.severity, hint = check.hint }) => ({
    check: check.name,
    result: isOk ? 'ok' : resultOf(severity),
    evidence: clean(evidence),
    hint: isOk ? '' : hint,
  }));
}

async function findingsOf(check: Check, context: CheckContext, signal: AbortSignal): Promise<Finding[]> {
  try {
    return [await check.run(context)].flat();
  } catch (error) {
    if (!isJoinError(error) || signal.aborted) throw error;
    return [problem(error.message, { severity: 'error', hint: error.hint })];
  }
}

/** Whether the kubeadm of the kubelet's release has the check. */
async function isOfRelease({ addedBy, droppedBy }: Check, context: CheckContext): Promise<boolean> {
  if (addedBy !== undefined && !(await context.holds(addedBy))) return false;
  return droppedBy === undefined || !(await context.holds(droppedBy));
}

/** The rules for the oldest kubelets apply if the version is unknown. */
export const holdsFor =
  (kubeletVersion: () => Promise<string>) =>
  async (fact: FactName): Promise<boolean> =>
    holds(fact, await kubeletVersion().catch(() => undefined));
