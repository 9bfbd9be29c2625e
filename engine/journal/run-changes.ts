/** What a run has changed so far, as far as its next changes and its undo depend on it. */
import { isDeepStrictEqual as isEqual } from 'node:util';
import type { StepChange } from '../host/changes/index.ts';
import { historyOf } from './history.ts';
import type { JournalRecord } from './records.ts';

export interface RecordedChange {
  seq: number;
  step: string;
  change: StepChange;
  /** An earlier change of the run has the snapshot of the path. */
  isRepeated: boolean;
}

export class RunChanges {
  readonly #byStep = new Map<string, StepChange[]>();
  /** Paths that the run has changed, and that are not undone. */
  readonly #paths: Set<string>;
  #images: number;

  constructor(records: readonly JournalRecord[]) {
    const changes = records.length === 0 ? [] : historyOf(records).changes;
    for (const { step, change } of changes) this.add(step, change);
    this.#images = Math.max(0, ...records.map(imageOf));
    this.#paths = new Set(changes.flatMap(({ change, undone }) => ('path' in change && !undone ? change.path : [])));
  }

  of(step: string): readonly StepChange[] {
    return this.#byStep.get(step) ?? [];
  }

  add(step: string, change: StepChange): void {
    const changes = this.#byStep.get(step);
    if (changes === undefined) this.#byStep.set(step, [change]);
    else changes.push(change);
  }

  /** The change was refused. */
  withdraw({ step, change, isRepeated }: RecordedChange): void {
    const changes = this.of(step);
    this.#byStep.set(step, changes.toSpliced(changes.lastIndexOf(change), 1));
    if (!isRepeated) this.forgetPath(change);
  }

  /** A resumed step asks again for an object that it may have created. It is still one object, and one change. */
  hasCreated(step: string, change: StepChange): boolean {
    return change.kind === 'api' && change.verb === 'create' && this.of(step).some((one) => isEqual(one, change));
  }

  hasChangedPathOf = (change: StepChange): boolean => 'path' in change && this.#paths.has(change.path);

  keepPath(change: StepChange): void {
    if ('path' in change) this.#paths.add(change.path);
  }

  /** The path is again as it was before the run. */
  forgetPath(change: StepChange): void {
    if ('path' in change) this.#paths.delete(change.path);
  }

  get nextImage(): number {
    return this.#images + 1;
  }

  takeImage(): number {
    return ++this.#images;
  }
}

const imageOf = (record: JournalRecord): number =>
  record.kind === 'change' && record.before.kind === 'file' ? (record.before.image ?? 0) : 0;
