/** The steps of one machine, on scratch machines beside a sandbox. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tokenWithSecret } from '../../../engine/fleet/steps/token.ts';
import type { RunEvent } from '../../../engine/run/run.ts';
import { fail } from '../../../engine/sdk/errors.ts';
import { obstruct } from '../../bin/cli.ts';
import { fleetScene, joinMachine, rootOf, tokensIn } from '../../helpers/fleet.ts';

const MINUTES = { timeout: 180_000 };
const refused = (code: string) => expect.objectContaining({ code });

test(
  'several machines join at the same time, each with its own token, which is deleted afterwards',
  MINUTES,
  async () => {
    const { sandbox, steps, context } = await fleetScene({ hosts: 2 });
    const events = await Promise.all([0, 1].map((number) => joinMachine(steps, context(number))));
    for (const [number, seen] of events.entries()) {
      const node = `w${number + 1}`;
      expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
      expect(seen.at(-1)).toMatchObject({ type: 'run.ended', status: 'succeeded', machine: node });
      const { uid } = sandbox.store.get('nodes', node)?.metadata ?? {};
      expect(await steps.verify(context(number))).toEqual({ node, uid });
      expect(await steps.inspect(context(number))).toEqual({ state: 'joined', run: seen[0]?.run });
    }
    expect(tokensIn(sandbox)).toEqual([]);
  },
);

test(
  'a machine that has lost its connection, or its operator, is followed again from the next event',
  MINUTES,
  async () => {
    let cut = 2;
    const { steps, context } = await fleetScene({
      hosts: 1,
      around: (machine) => ({
        ...machine,
        async join(args, options) {
          const { onLine } = options;
          if (args[0] !== 'attach' || onLine === undefined || cut-- <= 0) return machine.join(args, options);
          let lines = 0;
          await machine.join(args, { ...options, onLine: (line) => ++lines <= 3 && onLine(line) });
          throw fail('E_FLEET_UNREACHABLE', { host: 'w1', what: 'the cable is out' });
        },
      }),
    });
    const seen: RunEvent[] = [];
    const operator = new AbortController();
    const first = context(0, { signal: operator.signal });
    const token = await steps.token(first);
    const onEvent = (event: RunEvent) => {
      seen.push(event);
      if (event.seq === 5) operator.abort(new Error('the operator is gone'));
    };
    const joining = steps.join(first, { state: 'none' }, token, { fromSeq: 1, onEvent });
    await expect(joining).rejects.toThrow('the operator is gone');
    const found = await steps.inspect(context(0));
    const run = seen[0]?.run;
    expect([
      { state: 'running', run },
      { state: 'joined', run },
    ]).toContainEqual(found);
    // A run that has ended in the meantime is followed in the same way: its events are on the machine.
    const running = { state: 'running', run: String(run) } as const;
    const next = { fromSeq: seen.length + 1, onEvent: (event: RunEvent) => void seen.push(event) };
    expect(await steps.join(context(0), running, token, next)).toEqual({ run });
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
    expect(new Set(seen.map((event) => event.run))).toEqual(new Set([run]));
  },
);

test('a failed join throws the error of the machine, and the next attempt resumes its run', MINUTES, async () => {
  const { steps, context } = await fleetScene({ hosts: 1 });
  const member = context(0);
  member.host.variables.ignorePreflightErrors = 'WritablePaths';
  const root = rootOf(member);
  const forwarding = join(root, 'proc/sys/net/ipv4/ip_forward');
  await writeFile(forwarding, '0\n');
  // Nothing has changed on the machine yet, so no run is recorded. Nevertheless the error arrives.
  await expect(joinMachine(steps, member)).rejects.toMatchObject({
    code: 'E_PREFLIGHT',
    message: expect.stringContaining('ip_forward'),
  });
  expect(await steps.inspect(member)).toEqual({ state: 'none' });

  await writeFile(forwarding, '1\n');
  const clear = await obstruct(root);
  await expect(joinMachine(steps, member)).rejects.toEqual(refused('E_FILE'));
  const found = await steps.inspect(member);
  expect(found).toEqual({ state: 'unfinished', run: expect.any(String) });
  await clear();
  const again = context(0, { attempt: 2 });
  const events = await joinMachine(steps, again);
  expect(events[0]).toMatchObject({ run: found.run, seq: 1 });
  expect(events.filter(({ type }) => type === 'run.started')).toMatchObject([{ resumed: false }, { resumed: true }]);
});

test('the token of a machine is in none of its events and files', MINUTES, async () => {
  const { cluster, steps, context } = await fleetScene({ hosts: 1 });
  const token = (await tokenWithSecret(cluster, context(0), await steps.token(context(0)))).reveal();
  const events = await joinMachine(steps, context(0));
  const [, secret = token] = token.split('.');
  expect(JSON.stringify(events)).not.toContain(secret);
  const search = promisify(execFile)('grep', ['-rlsF', '--devices=skip', secret, rootOf(context(0))]);
  // grep ends with 1 if it finds nothing.
  await expect(search).rejects.toMatchObject({ code: 1, stdout: '' });
  expect(await readFile(join(rootOf(context(0)), 'etc/kubernetes/kubelet.conf'), 'utf8')).toContain('server:');
});

test('undo rolls back the machine and deletes its Node, and can be repeated', MINUTES, async () => {
  const { sandbox, steps, context } = await fleetScene({ hosts: 1 });
  const [started] = await joinMachine(steps, context(0));
  await steps.undo(context(0), started?.run);
  expect(sandbox.store.list('nodes')).toEqual([]);
  expect(await steps.inspect(context(0))).toEqual({ state: 'none' });
  await steps.undo(context(0), started?.run);
  await steps.undo(context(0), undefined);
});

test('a machine of another cluster is refused, and a machine without its Node is not verified', MINUTES, async () => {
  const [own, other] = [await fleetScene({ hosts: 1 }), await fleetScene({ hosts: 0 })];
  await joinMachine(own.steps, own.context(0));
  await expect(other.steps.inspect(own.context(0))).rejects.toEqual(refused('E_FLEET_OTHER_CLUSTER'));
  await own.cluster.deleteNode('w1', 'another uid');
  await own.steps.verify(own.context(0));
  await own.cluster.deleteNode('w1', String(own.sandbox.store.get('nodes', 'w1')?.metadata.uid));
  await expect(own.steps.verify(own.context(0))).rejects.toEqual(refused('E_FLEET_NODE'));
});

test('a scratch machine that does not exist cannot be reached', async () => {
  const { steps, context } = await fleetScene({ hosts: 1 });
  const { host } = context(0);
  const gone = context(0, { host: { ...host, transport: { kind: 'local', root: '/nowhere' } } });
  expect(await steps.reach(context(0))).toEqual({ architecture: process.arch, hostName: 'w1' });
  await expect(steps.reach(gone)).rejects.toMatchObject({ code: 'E_FLEET_UNREACHABLE', transient: true });
  await expect(steps.inspect(gone)).rejects.toEqual(refused('E_FILE'));
});
