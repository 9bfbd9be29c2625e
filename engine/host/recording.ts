/**
 * The host of a dry run: it reads the real machine, keeps changes in an overlay, and applies no change on any API
 * server.
 */
import { fail } from '../sdk/errors.ts';
import type { HttpAnswer, HttpCall } from '../sdk/ports.ts';
import { overlayChange } from './changes/index.ts';
import type { Host } from './host.ts';
import { Overlay, UNCHANGED } from './overlay.ts';
import type { Answers, Query } from './query.ts';

export function recordingHost(host: Host): Host {
  const overlay = new Overlay(expectedAnswer);
  /** Programs that this run would start, and that do not answer yet. */
  const assumed = new Set<string>();
  const api = host.access.dryRun(
    {
      send: (request, signal) => host.send(request, signal),
      waitFor: (wait, signal) => host.wait({ kind: 'object', ...wait }, signal),
    },
    host.now,
  );
  const read = async <K extends Query['kind']>(
    query: Extract<Query, { kind: K }>,
    signal: AbortSignal,
  ): Promise<Answers[K]> => (await readThrough(overlay, host, query, signal)) as Answers[K];
  return {
    facts: host.facts,
    isDry: true,
    access: host.access,
    now: host.now,
    read,
    async apply(change, signal) {
      // As on a real machine, a directory that is not empty stays.
      const isFull =
        change.kind === 'remove' && ((await read({ kind: 'list', path: change.path }, signal)) ?? []).length;
      if (!isFull) overlayChange(change, overlay);
    },
    async send(request, signal) {
      const { origin } = new URL(request.server);
      if (assumed.has(origin)) throw fail('E_UNDECIDED', { what: `what ${origin} answers when it runs` });
      return api.send(request, signal);
    },
    async wait(condition, signal, onStandIn) {
      if (condition.kind === 'healthy') assumed.add(new URL(condition.url).origin);
      if (condition.kind === 'object') return api.waitFor(condition, signal, onStandIn);
      if (condition.kind !== 'file') return onStandIn?.();
      const content = await read<'file'>({ kind: 'file', path: condition.path }, signal);
      if (condition.done(content)) return content;
      throw fail('E_UNDECIDED', { what: `what another program will write to ${condition.path}` });
    },
  };
}

async function readThrough(overlay: Overlay, host: Host, query: Query, signal: AbortSignal): Promise<unknown> {
  const changed = overlay.read(query);
  if (changed !== UNCHANGED) return changed;
  switch (query.kind) {
    case 'file':
      return host.read<'file'>({ kind: 'file', path: overlay.resolve(query.path) }, signal);
    case 'list':
      return overlay.list(query.path, await host.read<'list'>(query, signal));
    case 'service':
      return overlay.service(query.name, await host.read<'service'>(query, signal));
    case 'etcd-members':
      return overlay.etcdMembers(await host.read<'etcd-members'>(query, signal));
    default:
      return host.read(query as never, signal);
  }
}

/** An answer that satisfies the expectation of the call. */
const expectedAnswer = ({ expect = {} }: HttpCall): HttpAnswer => ({
  status: expect.statuses?.[0] ?? 200,
  body: expect.json === undefined ? '' : JSON.stringify(expect.json),
});
