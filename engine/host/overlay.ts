/** What a machine would look like after recorded changes: reads of changed paths and services are answered from here. */
import type { ServiceStatus, Stat } from '../sdk/ports.ts';
import type { Answers, Change, Query } from './host.ts';

type Entry = { stat: Stat; content?: Buffer } | 'removed';

/** Stands for "not changed: ask the machine". */
export const UNCHANGED = Symbol('unchanged');

export class Overlay {
  readonly #entries = new Map<string, Entry>();
  readonly #active = new Map<string, boolean>();

  apply(change: Change): void {
    switch (change.kind) {
      case 'file':
        this.#entries.set(change.path, { stat: { kind: 'file', mode: change.mode }, content: change.content });
        break;
      case 'directory':
        this.#entries.set(change.path, { stat: { kind: 'directory', mode: change.mode } });
        break;
      case 'link':
        this.#entries.set(change.path, { stat: { kind: 'link', mode: 0o777, target: change.target } });
        break;
      case 'remove':
        this.#entries.set(change.path, 'removed');
        break;
      case 'service':
        if (change.action !== 'reload') this.#active.set(change.name, change.action === 'start');
    }
  }

  /** The answer as far as the recorded changes decide it. */
  read(query: Query): Answers['file'] | Answers['stat'] | typeof UNCHANGED {
    if (query.kind !== 'file' && query.kind !== 'stat') return UNCHANGED;
    const entry = this.#entries.get(query.path);
    if (entry === undefined) return UNCHANGED;
    if (entry === 'removed') return undefined;
    if (query.kind === 'stat') return entry.stat;
    const { target } = entry.stat;
    return target === undefined ? entry.content : this.read({ kind: 'file', path: target });
  }

  /** The names in `path` after the changes, given those before. */
  list(path: string, before: string[] | undefined): string[] | undefined {
    const names = new Set(before);
    for (const [changed, entry] of this.#entries) {
      if (!changed.startsWith(`${path}/`)) continue;
      const [name = ''] = changed.slice(path.length + 1).split('/');
      if (entry !== 'removed') names.add(name);
      else if (changed === `${path}/${name}`) names.delete(name);
    }
    return before === undefined && names.size === 0 ? undefined : [...names].sort();
  }

  service(name: string, before: ServiceStatus): ServiceStatus {
    const active = this.#active.get(name);
    return active === undefined ? before : { ...before, active, failed: false };
  }
}
