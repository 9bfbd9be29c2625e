/** The etcd of a cluster: one call after the other, to the first endpoint that answers. */
import { sleep } from '../../limits/timers.ts';
import { fail, isJoinError } from '../../sdk/errors.ts';
import type { EtcdAccess, EtcdMember, EtcdStatus } from '../../sdk/ports.ts';
import { clean } from '../../sdk/text.ts';
import { call, NoAnswer } from './call.ts';
import { type EtcdAction, type EtcdWait, isApplied, memberAt } from './members.ts';
import type { Answers, MemberMessage, Method } from './messages.ts';

/** Like kubeadm. */
const PAUSE_MS = 500;
/** A learner that is not in sync yet. Promotions are tried until the time limit of the step. */
const NOT_IN_SYNC = 'in sync with leader';
/** A member that started a moment ago: etcd counts it after 5 seconds. */
const UNHEALTHY = 'unhealthy cluster';
const UNHEALTHY_MS_MAX = 10_000;

export class EtcdClient {
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  async members(access: EtcdAccess, signal: AbortSignal): Promise<EtcdMember[]> {
    const { members } = await this.#ask(access, 'MemberList', { linearizable: true }, signal);
    return members.map(memberOf);
  }

  async status(access: EtcdAccess, endpoint: string, signal: AbortSignal): Promise<EtcdStatus> {
    const { version, errors } = await this.#ask({ ...access, endpoints: [endpoint] }, 'Status', {}, signal);
    return { version: clean(version), errors: errors.map(clean) };
  }

  /** An answer may be lost, so a refusal counts only if the members are not as the change would leave them. */
  async change(access: EtcdAccess, action: EtcdAction, peerUrl: string, signal: AbortSignal): Promise<void> {
    const begun = performance.now();
    for (;;) {
      const member = memberAt(await this.members(access, signal), peerUrl);
      if (isApplied(action, member)) return;
      try {
        await this.#send(access, action, { peerUrl, id: member?.id }, signal);
        return;
      } catch (error) {
        if (!isJoinError(error)) throw error;
        if (isApplied(action, memberAt(await this.members(access, signal), peerUrl))) return;
        const isEarly = performance.now() - begun < UNHEALTHY_MS_MAX && error.message.includes(UNHEALTHY);
        if (!isEarly && !error.message.includes(NOT_IN_SYNC)) throw error;
      }
      await sleep(PAUSE_MS, signal);
    }
  }

  async waitFor(wait: EtcdWait, signal: AbortSignal): Promise<void> {
    while (!(await this.#isReached(wait, signal))) await sleep(PAUSE_MS, signal);
  }

  async #isReached({ access, until, at }: EtcdWait, signal: AbortSignal): Promise<boolean> {
    try {
      if (until === 'started') return (memberAt(await this.members(access, signal), at)?.name ?? '') !== '';
      return (await this.status(access, at, signal)).errors.length === 0;
    } catch (error) {
      signal.throwIfAborted();
      if (!isJoinError(error)) throw error;
      return false;
    }
  }

  async #send(
    access: EtcdAccess,
    action: EtcdAction,
    { peerUrl, id }: { peerUrl: string; id: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    if (action === 'add-learner' || action === 'add-voter') {
      await this.#ask(access, 'MemberAdd', { peerURLs: [peerUrl], isLearner: action === 'add-learner' }, signal);
      return;
    }
    if (id === undefined) {
      const message = `no member has the peer URL ${peerUrl}`;
      throw fail('E_ETCD_REFUSED', { endpoint: access.endpoints[0] ?? '', what: 'promote a member', message });
    }
    await this.#ask(access, action === 'promote' ? 'MemberPromote' : 'MemberRemove', { ID: BigInt(`0x${id}`) }, signal);
  }

  async #ask<M extends Method>(
    access: EtcdAccess,
    method: M,
    request: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Answers[M]> {
    const silent: string[] = [];
    for (const endpoint of access.endpoints)
      try {
        return await call({ access, endpoint, method, request, now: this.#now }, signal);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        silent.push(`${endpoint}: ${clean(error.message)}`);
      }
    throw fail('E_ETCD_UNREACHABLE', { problems: silent });
  }
}

const memberOf = ({ ID, name, peerURLs, clientURLs, isLearner }: MemberMessage): EtcdMember => ({
  id: ID.toString(16),
  name: clean(name),
  peerUrls: peerURLs.map(clean),
  clientUrls: clientURLs.map(clean),
  isLearner,
});
