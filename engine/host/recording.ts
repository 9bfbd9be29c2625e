/** A dry run: reads are real, changes go to an overlay, API writes are sent with `dryRun=All`, and nobody waits. */

import { objectPath, throwUnlessOk } from '../kube/port.ts';
import { fail } from '../sdk/errors.ts';
import type { HttpAnswer, HttpCall, Identity, ObjectRef } from '../sdk/ports.ts';
import { remembering } from './dry-run-objects.ts';
import type { Answers, ApiAnswer, ApiRequest, Host, Query } from './host.ts';
import { Overlay, UNCHANGED } from './overlay.ts';
import { StandIns } from './stand-ins.ts';

export function recordingHost(host: Host): Host {
  const overlay = new Overlay();
  const standIns = new StandIns(host.now);
  const serverKnowsDryRun = new Map<string, Promise<boolean>>();

  /** Since 1.13; an older server would do for real what it is asked to try. */
  const knowsDryRun = (request: ApiRequest, signal: AbortSignal): Promise<boolean> => {
    let known = serverKnowsDryRun.get(request.server);
    known ??= host
      .send({ ...request, method: 'GET', ref: undefined, path: '/version', query: {}, body: undefined }, signal)
      .then(({ body }) => {
        const { major, minor } = (body ?? {}) as { major?: string; minor?: string };
        return Number(major) > 1 || (Number(major) === 1 && Number.parseInt(minor ?? '', 10) >= 13);
      });
    serverKnowsDryRun.set(request.server, known);
    known.catch(() => serverKnowsDryRun.delete(request.server)); // a retry asks again
    return known;
  };

  /** What a server would answer that cannot be asked. */
  const unchecked = ({ ref, method, path, body }: ApiRequest, why: string): ApiAnswer => {
    if (ref === undefined || method === 'GET')
      throw fail('E_UNDECIDED', { what: `the answer to ${method} ${path}: the identity does not exist yet` });
    const object = standIns.stored(ref, body);
    return { status: method === 'POST' ? 201 : 200, body: object, clockSkewMs: undefined, dryRun: { unchecked: why } };
  };

  const remembered = remembering(async (request, signal) => {
    if (request.method === 'GET' || request.ref === undefined) return host.send(request, signal);
    if (!(await knowsDryRun(request, signal)))
      return unchecked(request, 'the server does not say that it is 1.13 or newer, and only those can check');
    const answer = await host.send({ ...request, query: { ...request.query, dryRun: 'All' } }, signal);
    const { message } = (answer.body ?? {}) as { message?: unknown };
    if (answer.status === 400 && /dry ?run/i.test(String(message)))
      return unchecked(request, 'an admission webhook of the cluster does not support dry runs');
    return { ...answer, dryRun: 'checked' };
  });

  const send = async (request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> => {
    const { as } = request;
    const isStandIn = as !== 'unverified' && 'server' in as && standIns.isStandIn(as);
    return isStandIn ? unchecked(request, 'the identity does not exist yet') : remembered(request, signal);
  };

  const current = async (as: Identity, ref: ObjectRef, signal: AbortSignal): Promise<unknown> => {
    const request = { method: 'GET', path: objectPath(ref), query: {}, body: undefined } as const;
    const answer = await host.send({ server: as.server, as, ref, ...request }, signal);
    if (answer.status === 404) return undefined;
    throwUnlessOk(answer, as.server, `get ${ref.resource} ${ref.name}`);
    return answer.body;
  };

  const read = async <K extends Query['kind']>(
    query: Extract<Query, { kind: K }>,
    signal: AbortSignal,
  ): Promise<Answers[K]> => {
    const asked: Query = query;
    const changed = overlay.read(asked);
    if (changed !== UNCHANGED) return changed as Answers[K];
    const followed = asked.kind === 'file' ? { ...query, path: overlay.resolve(asked.path) } : query;
    const answer: unknown = await host.read<K>(followed, signal);
    if (asked.kind === 'list') return overlay.list(asked.path, answer as Answers['list']) as Answers[K];
    if (asked.kind === 'service') return overlay.service(asked.name, answer as Answers['service']) as Answers[K];
    return answer as Answers[K];
  };

  return {
    facts: host.facts,
    isDry: true,
    now: host.now,
    read,
    async apply(change) {
      overlay.apply(change);
      if (change.kind === 'http') change.answered(expectedAnswer(change.call));
    },
    send,
    async wait(condition, signal) {
      if (condition.kind === 'healthy' || condition.kind === 'port' || condition.kind === 'answer') return undefined;
      if (condition.kind === 'file') {
        const content = await read<'file'>({ kind: 'file', path: condition.path }, signal);
        if (condition.done(content)) return content;
        throw fail('E_UNDECIDED', { what: `what somebody else will write to ${condition.path}` });
      }
      const { as, ref, from, done } = condition;
      // What is there already needs no stand-in, and a stand-in keeps what is known of it.
      const there = from ?? (standIns.isStandIn(as) ? undefined : await current(as, ref, signal));
      if (there !== undefined && done(there)) return there;
      const object = standIns.done(ref, there);
      if (!done(object)) throw fail('E_UNDECIDED', { what: `when ${ref.resource} ${ref.name} is done` });
      return object;
    },
  };
}

/** What an answer must be, as far as that is said. */
const expectedAnswer = ({ expect = {} }: HttpCall): HttpAnswer => ({
  status: expect.statuses?.[0] ?? 200,
  body: expect.json === undefined ? '' : JSON.stringify(expect.json),
});
