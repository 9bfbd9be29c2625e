/** The object store, with one version counter, optimistic concurrency and a bounded history for watches. */
import { randomInt, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { apiVersionOf, type Resource, resourceNamed } from './api/resources.ts';
import { alreadyExists, conflict, expired, notFound } from './api/status.ts';
import { type Draft, type KubeObject, timestamp } from './objects.ts';

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: string;
  object: KubeObject;
  /** The object before the change, if it existed. */
  previous?: KubeObject;
}

export interface RequestRecord {
  method: string;
  /** Path with query. */
  path: string;
  user: string;
  status: number;
}

const HISTORY_MAX = 1000;
const REQUESTS_MAX = 10_000;
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const STALE = 'the object has been modified; please apply your changes to the latest version and try again';

/** Stored objects are frozen: to change one, call `update` with a copy. Methods throw StatusError. */
export class Store {
  /** The requests to the API server, oldest first. */
  readonly requests: RequestRecord[] = [];
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #history: Change[] = [];
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #now: () => Date;
  #version = 0;
  /** The history has no changes up to this version. */
  #compacted = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  get resourceVersion(): number {
    return this.#version;
  }

  get<T extends KubeObject = KubeObject>(resource: string, name: string, namespace = ''): T | undefined {
    // The caller knows the type of its resource.
    return this.#table(resource).get(`${namespace}/${name}`) as T | undefined;
  }

  /** All objects of a resource, or those in one namespace. */
  list<T extends KubeObject = KubeObject>(resource: string, namespace = ''): T[] {
    const all = [...this.#table(resource).values()] as T[];
    return namespace === '' ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  create(resource: string, draft: Draft): KubeObject {
    return this.commit(this.proposeCreate(resource, draft));
  }

  update(resource: string, draft: Draft): KubeObject {
    return this.commit(this.proposeUpdate(resource, draft));
  }

  delete(resource: string, name: string, namespace = ''): void {
    this.commit(this.proposeDelete(resource, name, namespace));
  }

  /** The change that `create` would store. A dry run stops here. */
  proposeCreate(plural: string, draft: Draft): Change {
    const resource = resourceNamed(plural);
    const { generateName = '', namespace = '', ...metadata } = draft.metadata ?? {};
    const name = metadata.name ?? `${generateName}${suffix()}`;
    if (this.get(plural, name, namespace) !== undefined) throw alreadyExists(resource, name);
    const object = {
      ...typeOf(resource),
      ...draft,
      metadata: {
        ...metadata,
        name,
        ...(generateName === '' ? {} : { generateName }),
        ...(namespace === '' ? {} : { namespace }),
        uid: randomUUID(),
        resourceVersion: '',
        creationTimestamp: timestamp(this.#now()),
      },
    };
    return { type: 'ADDED', resource: plural, object };
  }

  /** The change that `update` would store. Throws Conflict if the draft is based on an older object. */
  proposeUpdate(plural: string, draft: Draft): Change {
    const resource = resourceNamed(plural);
    const { name = '', namespace = '', uid, resourceVersion } = draft.metadata ?? {};
    const previous = this.#existing(resource, name, namespace);
    if (uid !== undefined && uid !== previous.metadata.uid)
      throw conflict(
        resource,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${previous.metadata.uid}`,
      );
    if ((resourceVersion ?? '') !== '' && resourceVersion !== previous.metadata.resourceVersion)
      throw conflict(resource, name, STALE);
    const { uid: sameUid, creationTimestamp, resourceVersion: version } = previous.metadata;
    const metadata = { ...draft.metadata, name, uid: sameUid, creationTimestamp, resourceVersion: version };
    return { type: 'MODIFIED', resource: plural, object: { ...typeOf(resource), ...draft, metadata }, previous };
  }

  proposeDelete(plural: string, name: string, namespace = ''): Change {
    const previous = this.#existing(resourceNamed(plural), name, namespace);
    return { type: 'DELETED', resource: plural, object: previous, previous };
  }

  /** Stores a change, notifies the listeners and returns the object. An update without a difference has no effect. */
  commit(change: Change): KubeObject {
    const { type, resource, previous } = change;
    if (type === 'MODIFIED' && isDeepStrictEqual(change.object, previous)) return change.object;
    this.#version += 1;
    const object = structuredClone(change.object);
    object.metadata.resourceVersion = String(this.#version);
    freeze(object);
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    if (type === 'DELETED') this.#table(resource).delete(key);
    else this.#table(resource).set(key, object);
    const committed = { ...change, object };
    this.#history.push(committed);
    if (this.#history.length > HISTORY_MAX)
      this.#compacted = Number(this.#history.shift()?.object.metadata.resourceVersion);
    for (const listener of this.#listeners) listener(committed);
    return object;
  }

  /** Every change after `version`, oldest first. Throws Expired if the history does not reach back that far. */
  changesSince(version: number): Change[] {
    if (version < this.#compacted) throw expired(version, this.#compacted);
    return this.#history.filter(({ object }) => Number(object.metadata.resourceVersion) > version);
  }

  /** Clears the history, like etcd every five minutes. Watches from an older version get 410. */
  compact(): void {
    this.#history.length = 0;
    this.#compacted = this.#version;
  }

  /** Calls `listener` after every change. Returns a function that ends the subscription. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  record(request: RequestRecord): void {
    this.requests.push(request);
    if (this.requests.length > REQUESTS_MAX) this.requests.shift();
  }

  #existing(resource: Resource, name: string, namespace: string): KubeObject {
    const found = this.get(resource.plural, name, namespace);
    if (found === undefined) throw notFound(resource, name);
    return found;
  }

  #table(plural: string): Map<string, KubeObject> {
    const table = this.#objects.get(plural) ?? new Map<string, KubeObject>();
    this.#objects.set(resourceNamed(plural).plural, table);
    return table;
  }
}

const typeOf = (resource: Resource) => ({ apiVersion: apiVersionOf(resource), kind: resource.kind });

const suffix = (): string => Array.from({ length: 5 }, () => SUFFIX_LETTERS[randomInt(SUFFIX_LETTERS.length)]).join('');

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freeze(inner);
}
