/** What a machine would look like after recorded changes: reads of changed paths and services are answered from here. */
import { posix } from 'node:path';
import { fail } from '../sdk/errors.ts';
import type { ServiceAction, ServiceStatus, Stat } from '../sdk/ports.ts';
import type { Answers, Change, Query } from './host.ts';

const LINKS_MAX = 40;

type Entry = { stat: Stat; content?: Buffer } | 'removed';

/** How a service is after an action. */
const AFTER: Record<ServiceAction, Partial<ServiceStatus>> = {
  start: { active: true, failed: false },
  restart: { active: true, failed: false },
  stop: { active: false, failed: false },
  enable: { enabled: true },
  disable: { enabled: false },
  mask: { masked: true },
  unmask: { masked: false },
  reload: {},
  'reload-service': {},
};

/** Stands for "not changed: ask the machine". */
export const UNCHANGED = Symbol('unchanged');

export class Overlay {
  readonly #entries = new Map<string, Entry>();
  readonly #services = new Map<string, Partial<ServiceStatus>>();

  apply(change: Change): void {
    switch (change.kind) {
      case 'file':
        this.#entries.set(change.path, {
          stat: { kind: 'file', mode: change.mode, ...change.owner },
          content: change.content,
        });
        break;
      case 'directory':
        this.#entries.set(change.path, { stat: { kind: 'directory', mode: change.mode, ...change.owner } });
        break;
      case 'link':
        this.#entries.set(change.path, { stat: { kind: 'link', mode: 0o777, target: change.target } });
        break;
      case 'remove':
        // As on a machine: a directory that somebody else has put something into stays.
        if ((this.list(change.path, undefined) ?? []).length === 0) this.#entries.set(change.path, 'removed');
        break;
      case 'remove-tree':
        for (const path of this.#entries.keys())
          if (path.startsWith(`${change.path}/`)) this.#entries.set(path, 'removed');
        this.#entries.set(change.path, 'removed');
        break;
      case 'service':
        this.#services.set(change.name, { ...this.#services.get(change.name), ...AFTER[change.action] });
    }
  }

  /** The answer as far as the recorded changes decide it. */
  read(query: Query): Answers['file'] | Answers['stat'] | typeof UNCHANGED {
    if (query.kind !== 'file' && query.kind !== 'stat') return UNCHANGED;
    const entry = this.#entries.get(query.kind === 'stat' ? query.path : this.resolve(query.path));
    if (entry === undefined) return UNCHANGED;
    if (entry === 'removed') return undefined;
    return query.kind === 'stat' ? entry.stat : entry.content;
  }

  /** Where `path` leads when the links among the changes are followed. */
  resolve(path: string): string {
    let at = path;
    for (let links = 0; links < LINKS_MAX; links++) {
      const entry = this.#entries.get(at);
      if (entry === undefined || entry === 'removed' || entry.stat.target === undefined) return at;
      at = posix.resolve(posix.dirname(at), entry.stat.target);
    }
    throw fail('E_FILE', { path, what: 'too many links' });
  }

  /** The names in `path` after the changes, given those before. */
  list(path: string, before: string[] | undefined): string[] | undefined {
    const names = new Set(before);
    const below = path === '/' ? '/' : `${path}/`;
    for (const [changed, entry] of this.#entries) {
      if (!changed.startsWith(below)) continue;
      const [name = ''] = changed.slice(below.length).split('/');
      if (entry !== 'removed') names.add(name);
      else if (changed === below + name) names.delete(name);
    }
    const entry = this.#entries.get(path);
    const isThere =
      before !== undefined || (entry !== undefined && entry !== 'removed' && entry.stat.kind === 'directory');
    return isThere || names.size > 0 ? [...names].sort() : undefined;
  }

  service(name: string, before: ServiceStatus): ServiceStatus {
    return { ...before, ...this.#services.get(name) };
  }
}
