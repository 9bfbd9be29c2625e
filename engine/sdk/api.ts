/**
 * Requests to API servers, as data. A host sends them, a dry run keeps them back, and tests answer them.
 * Only `engine/kube` knows the protocol behind them: the code that builds a host passes it an `ApiAccess`.
 */
import type { ApiVerb } from './effects.ts';
import type { Identity, Kube, ObjectRef, Trust } from './ports.ts';

/** One request to an API server. */
export interface ApiRequest {
  server: string;
  /** `unverified` accepts any certificate, and is only ever sent without credentials. */
  as: Identity | Trust | 'unverified';
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** The object that the request is about. A request without one (an access review, say) stores nothing. */
  ref: ObjectRef | undefined;
  path: string;
  query: Readonly<Record<string, string>>;
  body: object | undefined;
}

export interface ApiAnswer {
  status: number;
  /** Set by a dry run: the server checked the change with `dryRun=All`, or the reason why it could not. */
  dryRun?: 'checked' | { unchecked: string };
  /** Parsed JSON. */
  body: unknown;
  /** The server's clock minus this machine's, from the Date header. */
  clockSkewMs: number | undefined;
  /** The pause that the server asks for before the next request. */
  retryAfterMs?: number | undefined;
}

/** A wait for one object, by a watch. */
export interface ObjectWait {
  as: Identity;
  ref: ObjectRef;
  /** May throw to give up. */
  done: (object: unknown) => boolean;
  /** The object as it was last seen. */
  from: unknown;
  /** Facts for the events of the wait, such as the digest of a key. They are not secret. */
  about?: Readonly<Record<string, string>> | undefined;
}

/** A change of an object, as plans, events and journals hold it. */
export interface ApiChange {
  kind: 'api';
  verb: string;
  resource: string;
  name: string;
  checked: 'sent' | 'dry-run' | 'not-checked';
  why?: string;
}

export interface ApiClient {
  send(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer>;
  /** A dry run calls `onStandIn` if it assumes the result. */
  waitFor(wait: ObjectWait, signal: AbortSignal, onStandIn?: () => void): Promise<unknown>;
}

export interface ApiConnections extends ApiClient {
  close(): Promise<void>;
}

/** What the `kube` port of one attempt stands on. */
export interface KubePortOptions {
  client: ApiClient;
  signal: AbortSignal;
  /** Throws if the attempt has ended. */
  requireAlive(what: string): void;
  /** Throws if the phase did not declare the verb, or if the attempt has ended. */
  requireApi(verb: ApiVerb, resource: string): void;
  /** Whether the bounds of the phase, or its input, name the server. */
  allowsServer(server: string): boolean;
  readFile(path: string): Promise<Buffer | undefined>;
  /** Awaited before a change is sent. The returned function is called if the server refuses the change. */
  record(change: ApiChange): Promise<() => Promise<void>>;
  onChange(change: ApiChange): void;
}

/** The way of a host to API servers. */
export interface ApiAccess {
  connect(now: () => Date): ApiConnections;
  /** A client that changes nothing on any server. */
  dryRun(client: ApiClient, now: () => Date): ApiClient;
  port(options: KubePortOptions): Kube;
}

/** The path of the objects of a resource on an API server: `/api/v1/nodes`. */
export function collectionPath({ apiVersion, resource, namespace }: ObjectRef): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${resource}`;
}

/** The path of one object on an API server: `/api/v1/nodes/w1`. */
export const objectPath = (ref: ObjectRef): string => `${collectionPath(ref)}/${encodeURIComponent(ref.name)}`;
