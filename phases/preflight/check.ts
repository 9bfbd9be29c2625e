/** What a check is, and how what it saw becomes results. */
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

export type Given = Infer<typeof input>;
export type Severity = 'error' | 'warning';

/** What a check may look at. What several checks need is asked for once. */
export interface Look {
  files: Files;
  services: Services;
  commands: Commands;
  runtime: Runtime;
  given: Given;
  /** Under this name: what that left is no obstacle, and later steps compare it with what they want. */
  joinedBefore: Promise<boolean>;
  /** `v1.30.2`, as the installed kubelet tells; it takes a tenth of a second. */
  kubeletVersion(): Promise<string>;
  docker(): Promise<DockerInfo>;
}

export interface Finding {
  isGood: boolean;
  evidence: string;
  /** Left out: the check's own. */
  severity?: Severity;
  hint?: string;
}

export interface Check {
  /** kubeadm's. */
  name: string;
  severity: Severity;
  /** For kubelets from this minor version on an error is a warning: today's kubeadm does not look any more, or only warns. */
  warnsFrom?: number;
  /** Left out: on every machine. */
  applies?: boolean;
  /** What is looked at, in words. */
  looks: string;
  /** What to type. */
  hint: string;
  run(look: Look): Promise<Finding | Finding[]>;
}

export const good = (evidence: string): Finding => ({ isGood: true, evidence });
export const bad = (evidence: string, other: Pick<Finding, 'severity' | 'hint'> = {}): Finding => ({
  ...{ isGood: false, evidence },
  ...other,
});

/** kubeadm's way to name a check after a path. */
export const named = (kind: string, path: string): string => `${kind}-${path.replaceAll('/', '-')}`;

/** What came of a check. One that cannot be made has not been passed, whatever its severity. */
export async function resultsOf(
  check: Check,
  look: Look,
  isIgnored: (check: string) => boolean,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const result = (severity: Severity) =>
    severity === 'error' && isIgnored(check.name) ? ('ignored' as const) : severity;
  try {
    const found = [await check.run(look)].flat();
    const { warnsFrom } = check;
    const isMild =
      warnsFrom !== undefined && found.some(({ isGood }) => !isGood) && (await kubeletMinor(look)) >= warnsFrom;
    return found.map(({ isGood, evidence, severity = check.severity, hint = check.hint }) => ({
      check: check.name,
      result: isGood ? 'ok' : result(isMild ? 'warning' : severity),
      evidence: clean(evidence),
      hint: isGood ? '' : hint,
    }));
  } catch (error) {
    if (!isJoinError(error) || signal.aborted) throw error;
    return [{ check: check.name, result: result('error'), evidence: clean(error.message), hint: error.hint }];
  }
}

/** 0 where it cannot be known: then the rules of old hold. */
const kubeletMinor = ({ kubeletVersion }: Look): Promise<number> => kubeletVersion().then(minorOf, () => 0);
