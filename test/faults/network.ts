/** What networks and overloaded servers do, at every request of a join. */
import { expect } from 'vitest';
import { fail } from '../../engine/sdk/index.ts';
import type { Fault as ApiFault, Effect } from '../../plugins/sandbox/index.ts';
import { EVER, type Fault, LIMIT_MS, REQUESTS, type RequestName, requestNames } from './fault.ts';
import type { Scene } from './scene.ts';

const NEVER_MS = 600_000;

/** Puts the fault in the way of a request, and sees to it that the request is made. */
export function hinder(scene: Scene, request: RequestName, fault: ApiFault): void {
  const isAboutCsr = request === 'CSR watch' || request === 'CSR list';
  // The answer to the request for a certificate is lost, and the next try finds it made.
  if (request === 'CSR get after 409') scene.at('CSR create', { effect: 'truncated' });
  if (request === 'CSR list') scene.at('CSR watch', { effect: 'watchExpired' });
  // Who is fast leaves nothing to watch for.
  let goOn: () => void = () => undefined;
  if (isAboutCsr) {
    scene.sandbox.autoApprove = false;
    goOn = () => {
      scene.sandbox.autoApprove = true;
    };
  }
  if (request === 'node watch') {
    const until = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    scene.sandbox.faults.add({ effect: 'latency', method: 'POST', path: '/api/v1/nodes', until });
  }
  scene.at(request, {
    ...fault,
    onTriggered() {
      fault.onTriggered?.();
      setTimeout(() => goOn(), 50);
    },
  });
}

/** A list or watch is begun again as long as its step may take; other requests as often as its step may be tried. */
const isBegunAgain = (request: RequestName): boolean => / (list|watch)$/.test(request);
const limited = (request: RequestName) => ({ limitsMs: { [REQUESTS[request].step]: LIMIT_MS } });

interface Trouble {
  name: string;
  effect: Effect;
  /** What it ends with where it stays. */
  code: string;
}
const troubles: Trouble[] = [
  { name: 'connection reset', effect: 'reset', code: 'E_API_UNREACHABLE' },
  { name: 'half a body', effect: 'truncated', code: 'E_API_UNREACHABLE' },
  { name: '500', effect: 'internalError', code: 'E_API_UNAVAILABLE' },
  { name: "a portal's page", effect: 'notJson', code: 'E_API_ANSWER' },
];

/** The server has done it, and only its answer is lost: the next try finds it done. */
const isDone = (where: RequestName, effect: Effect): boolean =>
  where === 'node patch' && (effect === 'truncated' || effect === 'notJson');

function endOf(where: RequestName, { effect, code }: Trouble): Pick<Fault, 'ends' | 'limitsMs'> {
  if (isDone(where, effect)) return { ends: 'survives' };
  if (isBegunAgain(where)) return { ends: ['E_STEP_TIME_LIMIT', 'timeLimit'], ...limited(where) };
  return { ends: [code, 'cluster'] };
}

const rowsOf = (where: RequestName): Fault[] => [
  ...troubles.map(
    ({ name, effect }): Fault => ({
      name: `${name}, once`,
      where,
      inject: (scene) => hinder(scene, where, { effect }),
      ends: 'survives',
    }),
  ),
  // Where all of them end alike, one is enough.
  ...troubles.slice(0, isBegunAgain(where) ? 1 : undefined).map(
    (trouble): Fault => ({
      name: `${trouble.name}, forever`,
      where,
      inject: (scene) => hinder(scene, where, { effect: trouble.effect, times: EVER }),
      ...endOf(where, trouble),
    }),
  ),
  {
    name: 'latency',
    where,
    inject: (scene) => hinder(scene, where, { effect: 'latency', latencyMs: 200 }),
    ends: 'survives',
  },
  {
    name: 'silence',
    where,
    inject: (scene) => hinder(scene, where, { effect: 'latency', latencyMs: NEVER_MS, times: EVER }),
    ...limited(where),
    ends: ['E_STEP_TIME_LIMIT', 'timeLimit'],
  },
  busy(where),
];

/** 429 with Retry-After: it is asked again, and no sooner. */
function busy(where: RequestName): Fault {
  const askedAt: number[] = [];
  const onTriggered = () => void askedAt.push(performance.now());
  return {
    name: '429 with Retry-After, once',
    where,
    inject(scene) {
      hinder(scene, where, { effect: 'tooManyRequests', retryAfterSeconds: 1, onTriggered });
      scene.at(where, { effect: 'latency', latencyMs: 0, onTriggered });
    },
    ends: 'survives',
    also() {
      const [first = 0, again = 0] = askedAt;
      expect(again - first).toBeGreaterThan(990); // milliseconds; timers may be a little early
    },
  };
}

/** The run is cancelled while it waits for an answer. */
const stopped = (where: RequestName): Fault => ({
  name: 'silence, and Ctrl-C',
  where,
  inject(scene) {
    const stop = () => scene.cancel.abort(fail('E_CANCELLED', { signal: 'SIGINT' }));
    hinder(scene, where, {
      effect: 'latency',
      latencyMs: NEVER_MS,
      times: EVER,
      onTriggered: () => setTimeout(stop, 20),
    });
  },
  ends: ['E_CANCELLED', 'cancelled'],
  lasting: true,
});

/** What a server may ask for, and what is made of it. */
const asked = (name: string, retryAfter: string): Fault => ({
  name: `503 that asks to be left alone ${name}`,
  where: 'node get',
  inject(scene) {
    const refusal: ApiFault = { effect: 'instead', code: 503, headers: { 'Retry-After': retryAfter } };
    hinder(scene, 'node get', refusal);
  },
  limitsMs: { 'preflight-cluster': 5_000 }, // and no longer is it waited
  ends: 'survives',
});

/**
 * The limits of one answer, which are shorter than those of a step. They take their ten seconds, so they come first.
 */
const slow: Fault[] = [
  {
    name: 'silence, once',
    where: 'node get',
    inject: (scene) => hinder(scene, 'node get', { effect: 'latency', latencyMs: NEVER_MS }),
    ends: 'survives',
  },
  {
    name: 'a body that drips, once',
    where: 'node get',
    inject: (scene) => hinder(scene, 'node get', { effect: 'drip', latencyMs: 500 }),
    ends: 'survives',
  },
];

export const network: Fault[] = [
  ...slow,
  asked('for a day', '86400'),
  asked('until a date', new Date(Date.now() + 1_000).toUTCString()),
  asked('until a date long ago', new Date(0).toUTCString()),
  asked('for nonsense', 'soon'),
  ...requestNames.flatMap(rowsOf),
  ...(['cluster-info, unverified', 'CSR watch', 'kubelet-config get', 'node patch'] as const).map(stopped),
];
