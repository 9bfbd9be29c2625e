/** Rows of the table of faults that are answers of the API server. */
import type { Fault as ApiFault } from '../../plugins/sandbox/index.ts';
import { EVER, type Fault, LIMIT_MS, REQUESTS, type RequestName } from './fault.ts';
import { hinder } from './network.ts';

export type Ends = Fault['ends'];
export const ANSWER: Ends = ['E_API_ANSWER', 'cluster'];
export const LIMIT: Ends = ['E_STEP_TIME_LIMIT', 'timeLimit'];
export const FORBIDDEN: Ends = ['E_API_FORBIDDEN', 'cluster'];
export const KUBELET_CONFIG: Ends = ['E_KUBELET_CONFIG', 'cluster'];
export const INVALID: Ends = ['E_CLUSTER_INFO_INVALID', 'cluster'];
/** Clears the screen, colours, rings, turns text round, hides, and ends a line as Unicode does. */
export const EVIL = '\u001b[2J\u001b]0;pwned\u0007\u009b31m\u202e\u2066\u200b\u2028\u0000\r evil';

export const row = (name: string, where: RequestName, fault: ApiFault, ends: Ends): Fault => ({
  name,
  where,
  inject: (scene) => hinder(scene, where, { times: EVER, ...fault }),
  ends,
  ...(ends === LIMIT ? { limitsMs: { [REQUESTS[where].step]: LIMIT_MS } } : {}),
});
export const says = (text: string | Buffer, more: Partial<ApiFault> = {}): ApiFault => ({
  effect: 'instead',
  text,
  ...more,
});
export const changed = (change: (object: never) => unknown): ApiFault => ({
  effect: 'changed',
  change: change as never,
});

export const FIRST = 'cluster-info, unverified';
export const deep = (depth: number): string => `{"metadata":{},"data":${'['.repeat(depth)}${']'.repeat(depth)}}`;
