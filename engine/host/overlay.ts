/**
 * What a machine looks like after changes that were not applied: reads of changed paths and services are answered from
 * here.
 */
import { posix } from 'node:path';
import { fail } from '../sdk/errors.ts';
import type { EtcdMember, HttpAnswer, HttpCall, ServiceStatus, Stat } from '../sdk/ports.ts';
import type { EtcdAction } from './etcd/members.ts';
import type { Query } from './query.ts';

const LINKS_MAX = 40;

type Entry = { stat: Stat; content?: Buffer } | 'removed';

/** The overlay has no answer: ask the machine. */
export const UNCHANGED = Symbol('unchanged');

export class Overlay {
  /** Answers HTTP calls that change something. */
  readonly answer: (call: HttpCall) => HttpAnswer;
  readonly #entries = new Map<string, Entry>();
  /** Directories that were removed with everything that the machine has in them. */
  readonly #trees = new Set<string>();
  readonly #services = new Map<string, Partial<ServiceStatus>>();
  readonly #etcd: { action: EtcdAction; peerUrl: string }[] = [];

  constructor(answer: (call: HttpCall) => HttpAnswer) {
    this.answer = answer;
  }

  put(path: string, stat: Stat, content?: Buffer): void {
    this.#entries.set(path, content === undefined ? { stat } : { stat, content });
  }

  /** As on a real machine, a directory that is not empty stays. */
  remove(path: string): void {
    if ((this.list(path, undefined) ?? []).length === 0) this.#entries.set(path, 'removed');
  }

  removeTree(path: string): void {
    for (const inner of this.#entries.keys()) if (inner.startsWith(`${path}/`)) this.#entries.delete(inner);
    this.#entries.set(path, 'removed');
    this.#trees.add(path);
  }

  setService(name: string, status: Partial<ServiceStatus>): void {
    this.#services.set(name, { ...this.#services.get(name), ...status });
  }

  /** The answer, if the changes alone decide it. */
  read(query: Query): Buffer | Stat | undefined | typeof UNCHANGED {
    if (query.kind !== 'file' && query.kind !== 'stat') return UNCHANGED;
    const entry = this.#entries.get(query.kind === 'stat' ? query.path : this.resolve(query.path));
    if (entry === undefined) return this.#isGone(query.path) ? undefined : UNCHANGED;
    if (entry === 'removed') return undefined;
    return query.kind === 'stat' ? entry.stat : entry.content;
  }

  /** Where `path` leads if the links among the changes are followed. */
  resolve(path: string): string {
    let at = path;
    for (let links = 0; links < LINKS_MAX; links++) {
      const entry = this.#entries.get(at);
      if (entry === undefined || entry === 'removed' || entry.stat.target === undefined) return at;
      at = posix.resolve(posix.dirname(at), entry.stat.target);
    }
    throw fail('E_FILE', { path, what: 'too many links' });
  }

  /** The names in `path`, given the names that the machine has there. */
  list(path: string, machineNames: string[] | undefined): string[] | undefined {
    const known = this.#isGone(path) ? undefined : machineNames;
    const names = new Set(known);
    const prefix = path === '/' ? '/' : `${path}/`;
    for (const [changed, entry] of this.#entries) {
      if (!changed.startsWith(prefix)) continue;
      const [name = ''] = changed.slice(prefix.length).split('/');
      if (entry !== 'removed') names.add(name);
      else if (changed === prefix + name) names.delete(name);
    }
    const isKept = known !== undefined && this.#entries.get(path) !== 'removed';
    const exists = isKept || this.#isDirectory(path) || names.size > 0;
    return exists ? [...names].sort() : undefined;
  }

  service(name: string, machineStatus: ServiceStatus): ServiceStatus {
    return { ...machineStatus, ...this.#services.get(name) };
  }

  changeEtcd(action: EtcdAction, peerUrl: string): void {
    this.#etcd.push({ action, peerUrl });
  }

  /** The members after the changes, given those that etcd has. */
  etcdMembers(members: readonly EtcdMember[]): EtcdMember[] {
    return this.#etcd.reduce<EtcdMember[]>(
      (all, { action, peerUrl }) => {
        const isLearner = action === 'add-learner';
        const others = all.filter(({ peerUrls }) => !peerUrls.includes(peerUrl));
        const member = all.find(({ peerUrls }) => peerUrls.includes(peerUrl));
        if (action === 'remove') return others;
        return [...others, { id: '0', name: '', peerUrls: [peerUrl], clientUrls: [], ...member, isLearner }];
      },
      [...members],
    );
  }

  #isDirectory(path: string): boolean {
    const entry = this.#entries.get(path);
    return entry !== undefined && entry !== 'removed' && entry.stat.kind === 'directory';
  }

  /** Whether the machine's own content of `path` was removed with the directory that held it. */
  #isGone(path: string): boolean {
    for (let at = path; at !== '/' && at !== '.'; at = posix.dirname(at)) if (this.#trees.has(at)) return true;
    return false;
  }
}
