/**
 * A host is four functions: it reads, applies changes, sends requests and waits. Nothing else differs between hosts.
 */
import type { ApiAccess, ApiAnswer, ApiRequest, ObjectWait } from '../sdk/api.ts';
import type { HostFacts, HttpCall } from '../sdk/ports.ts';
import type { Change } from './changes/index.ts';
import type { EtcdWait } from './etcd/members.ts';
import type { Answers, Query, Read } from './query.ts';

export type Wait =
  /** For an object in the cluster, by a watch. */
  | ({ kind: 'object' } & ObjectWait)
  /** For the content of a file. `done` may throw to give up. */
  | { kind: 'file'; path: string; done: (content: Buffer | undefined) => boolean }
  /** For a service, or a program that it starts, that answers 200 at `url`. */
  | { kind: 'healthy'; service: string; url: string; program?: string }
  | { kind: 'port'; host: string; port: number }
  | { kind: 'answer'; call: HttpCall }
  | EtcdWait;

/** What a wait is for, as text for events. */
export function waitText(wait: Wait): string {
  switch (wait.kind) {
    case 'object':
      return `${wait.ref.resource} ${wait.ref.name}`;
    case 'file':
      return wait.path;
    case 'healthy':
      return `${wait.program ?? wait.service} to answer at ${wait.url}`;
    case 'port':
      return `${wait.host}:${wait.port} to be open`;
    case 'answer':
      return `an answer of ${wait.call.url}`;
    case 'etcd':
      return `etcd at ${wait.at} to be ${wait.until}`;
  }
}

export interface Host {
  facts: HostFacts;
  /** A dry run: no change is applied, so some values stay unknown. */
  isDry?: boolean;
  /** Builds the `kube` port on this host's `send` and `wait`. */
  access: ApiAccess;
  now(): Date;
  read<K extends Query['kind']>(query: Extract<Query, { kind: K }>, signal: AbortSignal): Promise<Answers[K]>;
  apply(change: Change, signal: AbortSignal): Promise<void>;
  send(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer>;
  /**
   * Resolves to the object or to the bytes of the file; undefined for other waits. A dry run calls `onStandIn` if it
   * assumes the result.
   */
  wait(condition: Wait, signal: AbortSignal, onStandIn?: () => void): Promise<unknown>;
}

/** Reads from `host` until `signal` is aborted. */
export const readerOf =
  (host: Pick<Host, 'read'>, signal: AbortSignal): Read =>
  (query) =>
    host.read(query as never, signal);
