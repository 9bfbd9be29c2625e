/** The first line of a plan: how many things it changes. */
import { subjectOf } from '../../engine/host/changes/index.ts';
import { changesOf, isIrreversible, type PlannedChange, type PlannedResult, phaseOf } from './planned.ts';

/** One and several, in the order of the line. */
const NOUNS: Readonly<Record<PlannedChange['kind'], readonly [string, string]>> = {
  file: ['file', 'files'],
  directory: ['directory', 'directories'],
  link: ['link', 'links'],
  remove: ['deletion', 'deletions'],
  'remove-tree': ['deleted directory', 'deleted directories'],
  unmount: ['unmount', 'unmounts'],
  service: ['service', 'services'],
  command: ['command', 'commands'],
  'pod-sandbox': ['removed Pod', 'removed Pods'],
  http: ['HTTP request', 'HTTP requests'],
  'etcd-member': ['etcd member', 'etcd members'],
  api: ['API object', 'API objects'],
};

/** Whether a run of the plan would change something, as far as a dry run can know. */
export const hasChanges = (planned: PlannedResult): boolean =>
  planned.result.steps.some((step) => changesOf(step, planned).length > 0) || undecidedSteps(planned) > 0;

const undecidedSteps = ({ result }: PlannedResult): number =>
  result.steps.filter(({ status }) => status === 'undecided').length;

/** What is changed twice, such as a service that is stopped and started, counts once. */
export function summaryLine(planned: PlannedResult): string {
  const { status } = planned.result;
  const undecided = undecidedSteps(planned);
  const counts = countsOf(planned);
  if (undecided > 0) counts.push(counted(undecided, 'undecided step', 'undecided steps'));
  const kept = irreversibleCount(planned);
  const line = `${counts.join(', ')}${kept === 0 ? '' : ` (${kept} cannot be undone)`}`;
  if (status === 'succeeded') return `Plan: ${counts.length === 0 ? 'nothing to do' : line}`;
  const why = status === 'failed' ? 'the dry run failed' : 'the dry run was cancelled';
  return `Incomplete plan, because ${why}: ${counts.length === 0 ? 'no changes' : line} so far`;
}

function countsOf(planned: PlannedResult): string[] {
  const subjects = new Map<PlannedChange['kind'], Set<string>>();
  for (const step of planned.result.steps)
    for (const change of changesOf(step, planned))
      subjects.set(nounOf(change), (subjects.get(nounOf(change)) ?? new Set()).add(subjectOf(change)));
  return Object.entries(NOUNS).flatMap(([kind, [one, several]]) => {
    const count = subjects.get(kind as PlannedChange['kind'])?.size ?? 0;
    return count === 0 ? [] : [counted(count, one, several)];
  });
}

/** What is removed with all below it may be a single file. */
const nounOf = (change: PlannedChange): PlannedChange['kind'] =>
  change.kind === 'remove-tree' && change.removes !== 'directory' ? 'remove' : change.kind;

function irreversibleCount(planned: PlannedResult): number {
  const subjects = planned.result.steps.flatMap((step) =>
    changesOf(step, planned)
      .filter((change) => isIrreversible(change, phaseOf(step, planned.plan)))
      .map((change) => `${change.kind} ${subjectOf(change)}`),
  );
  return new Set(subjects).size;
}

const counted = (count: number, one: string, several: string): string => `${count} ${count === 1 ? one : several}`;
