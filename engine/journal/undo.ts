/** Takes the changes of a run back, the last one first. What somebody else has changed since is left as it is, and told. */
import { temporaryName } from '../host/disk.ts';
import type { Change, Host, StepChange } from '../host/host.ts';
import { pathMatcher } from '../sdk/effects.ts';
import { fail } from '../sdk/errors.ts';
import type { ServiceAction } from '../sdk/ports.ts';
import { digestOf, existing, lookAt } from './before.ts';
import type { ChangeHistory, History } from './history.ts';
import type { Journal } from './journal.ts';
import type { Before } from './records.ts';

const READ_BY_ALL = 0o004;

/** One change that was taken back, or why it was not. */
export interface UndoItem {
  step: string;
  change: StepChange;
  /** `refused`: somebody else has changed it since. `stays`: it could not be taken back, and need not be. */
  outcome: 'restored' | 'refused' | 'stays' | 'failed';
  why?: string;
  /** What is there now against what the run left; only of files that everybody may read. */
  diff?: string;
}

export interface UndoOptions {
  journal: Journal;
  host: Host;
  /** Also what somebody else has changed since. */
  overwrite: boolean;
  signal: AbortSignal;
  onItem: (item: UndoItem) => void;
}

export async function undoChanges(options: UndoOptions): Promise<void> {
  await new Restoring(options).all();
}

class Restoring {
  readonly #options: UndoOptions;
  readonly #history: History;
  /** The run's changes of a path, the last one first. Any of them may be what is there: a journaled change need not have been made. */
  readonly #changesAt = new Map<string, ChangeHistory[]>();
  /** Services that ran before the run touched them. */
  readonly #ranBefore = new Map<string, boolean>();
  readonly #isServiceData: (path: string) => boolean;
  /** Something was refused or has failed, and may be taken back another time. */
  #isPartial = false;

  constructor(options: UndoOptions) {
    this.#options = options;
    this.#history = options.journal.history();
    const data: string[] = [];
    for (const item of this.#history.changes) {
      if ('path' in item.change)
        this.#changesAt.set(item.change.path, [item, ...(this.#changesAt.get(item.change.path) ?? [])]);
      if (item.change.kind !== 'service' || item.before.kind !== 'service') continue;
      data.push(...item.before.data);
      if (!this.#ranBefore.has(item.change.name)) this.#ranBefore.set(item.change.name, item.before.active);
    }
    this.#isServiceData = pathMatcher(data, {});
  }

  async all(): Promise<void> {
    const items = this.#history.changes.filter(({ undone }) => !undone).reverse();
    const actionOf = ({ change }: ChangeHistory) => (change.kind === 'service' ? change.action : undefined);
    // A service that ran before runs on the files as they were in the end, and its manager reads its unit as it was.
    const isStart = (item: ChangeHistory): boolean => {
      const action = actionOf(item);
      const wasActive = item.before.kind === 'service' && item.before.active;
      return action === 'stop' || action === 'reload-service' || (action === 'restart' && wasActive);
    };
    const isReload = (item: ChangeHistory): boolean => actionOf(item) === 'reload';
    const now = items.filter((item) => !isStart(item) && !isReload(item));
    for (const item of [...now, ...items.filter(isReload), ...items.filter(isStart)]) await this.#tell(item);
  }

  async #tell(item: ChangeHistory): Promise<void> {
    const { signal, journal, onItem } = this.#options;
    signal.throwIfAborted();
    const { step, change } = item;
    const told = await this.#takeBack(item).catch((error: unknown) => {
      signal.throwIfAborted();
      return { outcome: 'failed', why: (error as Error).message } as const;
    });
    if (told.outcome === 'restored' || told.outcome === 'stays') await journal.undone({ change: item.seq });
    else this.#isPartial = true;
    onItem({ step, change, ...told });
  }

  async #takeBack(item: ChangeHistory): Promise<Omit<UndoItem, 'step' | 'change'>> {
    const { change, before } = item;
    const { host, signal } = this.#options;
    if (before.kind === 'none') return { outcome: 'stays', why: whyItStays(change) };
    if (before.kind === 'earlier') return { outcome: 'restored' };
    if (before.kind === 'command') {
      await host.apply({ kind: 'command', argv: before.undo, undo: undefined, irreversible: undefined }, signal);
      return { outcome: 'restored' };
    }
    if (change.kind === 'service' && before.kind === 'service') {
      await this.#restoreService(change, before);
      return { outcome: 'restored' };
    }
    if (!('path' in change)) throw new Error(`a ${change.kind} has no ${before.kind} before it`);
    const conflict = await this.#conflictAt(change.path, before);
    return conflict ?? this.#putBack(change.path, before);
  }

  /** Undefined where what is there is what the run left, or what was there before it. */
  async #conflictAt(path: string, before: Before): Promise<Omit<UndoItem, 'step' | 'change'> | undefined> {
    const { host, signal, overwrite } = this.#options;
    const changes = this.#changesAt.get(path) ?? [];
    const [left] = changes;
    // A service turns links and fills directories of the run's; files that the run wrote, somebody else has changed.
    if (overwrite || (this.#isServiceData(path) && left?.change.kind !== 'file')) return undefined;
    const { before: now, image } = await lookAt(host, path, signal);
    const known = [before, ...changes.map(leftBy)];
    // What is in the way goes first, and the undo may have been cut off just then.
    if (known.some((one) => isInTheWay(one, before))) known.push({ kind: 'absent' });
    if (left === undefined || known.some((one) => isAs(now, one))) return undefined;
    const why = `it is ${inWords(now)} now, and not what the run left`;
    const isSecret = left.change.kind === 'file' && left.change.content === undefined;
    // What somebody else has put there may be a secret that nobody told us of.
    if (isSecret || now.kind !== 'file' || (now.mode & READ_BY_ALL) === 0) return { outcome: 'refused', why };
    const old = left.change.kind === 'file' ? (left.change.content ?? '') : '';
    const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff'); // rarely needed
    const diff = createTwoFilesPatch(path, path, old, image?.toString('utf8') ?? '', 'as the run left it', 'now', {
      headerOptions: FILE_HEADERS_ONLY,
    });
    return { outcome: 'refused', why, diff: diff.split('\n').slice(0, 60).join('\n') };
  }

  async #putBack(path: string, before: Before): Promise<Omit<UndoItem, 'step' | 'change'>> {
    const { host, journal, signal } = this.#options;
    const apply = (change: Change) => host.apply(change, signal);
    const { before: now } = await lookAt(host, path, signal);
    const isOther = before.kind !== 'absent' && isInTheWay(now, before);
    if (isOther) await apply({ kind: 'remove', path });
    const isAlready = !isOther && before.kind !== 'absent' && isAs(now, before);
    // The change was never made; what it may have left half-done goes.
    if (isAlready) await apply({ kind: 'remove', path: temporaryName(path) });
    else if (before.kind === 'file') {
      const content = before.image === undefined ? undefined : await journal.image(before.image);
      if (content === undefined || digestOf(content) !== before.digest)
        throw fail('E_FILE', { path, what: 'what was there before is not in the journal any more' });
      const { mode, owner } = before;
      await apply({ kind: 'file', path, content, mode, secret: true, ...(owner === undefined ? {} : { owner }) });
    } else if (before.kind === 'directory') {
      const { mode, owner } = before;
      await apply({ kind: 'directory', path, mode, ...(owner === undefined ? {} : { owner }) });
    } else if (before.kind === 'link') await apply({ kind: 'link', path, target: before.target });
    else {
      await apply({ kind: 'remove', path });
      const inside = await host.read<'list'>({ kind: 'list', path }, signal);
      const names = inside?.slice(0, 5).join(', ');
      if (names !== undefined && this.#isPartial)
        return { outcome: 'failed', why: `it is not empty, and not everything is taken back yet: ${names}` };
      if (names !== undefined) return { outcome: 'stays', why: `it holds what this run did not make: ${names}` };
    }
    return { outcome: 'restored' };
  }

  /** As it was: running or not; and where this run started it, without what it has written since. */
  async #restoreService(
    { name, action }: Extract<StepChange, { kind: 'service' }>,
    { active, data, kept }: Extract<Before, { kind: 'service' }>,
  ): Promise<void> {
    const { host, signal } = this.#options;
    // Started and stopped by the run: to stop it is the start's to take back.
    if (action === 'stop' && this.#ranBefore.get(name) !== true) return;
    const back = serviceBack(action, active);
    if (back === undefined) return;
    // One that fails again and again may not be active just now, and is stopped all the same.
    await host.apply({ kind: 'service', name, action: back }, signal);
    if (back !== 'stop') return;
    const ours = new Set([...kept, ...this.#changesAt.keys()]);
    for (const path of await existing(host, data, signal)) {
      if (ours.has(path)) continue;
      const [mounted] = await host.read<'mounts'>({ kind: 'mounts', path }, signal);
      if (mounted !== undefined) throw fail('E_FILE', { path, what: `${mounted} is still mounted` });
      await host.apply({ kind: 'remove-tree', path }, signal);
    }
  }
}

const OPPOSITE: Partial<Record<ServiceAction, ServiceAction>> = {
  ...{ enable: 'disable', disable: 'enable', mask: 'unmask', unmask: 'mask', reload: 'reload' },
};

/** What takes an action on a service back that was active before, or was not; undefined where nothing is left to do. */
export function serviceBack(action: ServiceAction, active: boolean): ServiceAction | undefined {
  if (action === 'reload-service') return active ? 'reload-service' : undefined;
  if (action === 'restart' && active) return 'restart';
  return OPPOSITE[action] ?? (active ? 'start' : 'stop');
}

/** How a path looks after a change of the run. */
function leftBy({ change, after }: ChangeHistory): Before {
  switch (change.kind) {
    case 'file':
      return { kind: 'file', mode: change.mode, digest: after ?? '' };
    case 'directory':
      return { kind: 'directory', mode: change.mode };
    case 'link':
      return { kind: 'link', target: change.target };
    default:
      return { kind: 'absent' };
  }
}

/** What has to go before the other can be there; a file replaces a file or a link at once. */
function isInTheWay(now: Before, before: Before): boolean {
  if (now.kind === 'directory' && before.kind === 'directory') return now.mode !== before.mode;
  return now.kind !== 'absent' && now.kind !== before.kind && !(now.kind === 'link' && before.kind === 'file');
}

const isAs = (one: Before, other: Before): boolean => {
  if (one.kind === 'file' && other.kind === 'file') return one.digest === other.digest && one.mode === other.mode;
  if (one.kind === 'link' && other.kind === 'link') return one.target === other.target;
  return one.kind === other.kind;
};

const inWords = (now: Before): string => {
  if (now.kind === 'file') return `a file of mode ${now.mode.toString(8).padStart(4, '0')}`;
  if (now.kind === 'link') return `a link to ${now.target}`;
  return now.kind === 'absent' ? 'gone' : `a ${now.kind}`;
};

/** With what somebody else can do about it. */
function whyItStays(change: StepChange): string {
  if (change.kind === 'api')
    return `no identity on this machine may delete it. With an admin kubeconfig: kubectl delete ${change.resource} ${change.name}`;
  return (change.kind === 'command' || change.kind === 'http') && change.irreversible !== undefined
    ? change.irreversible
    : 'it cannot be taken back';
}
