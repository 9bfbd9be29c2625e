/** What every phase promises, as tests that any runner can run: docs/writing-a-phase.md says what each is for. */
import assert from 'node:assert/strict';
import type { StepChange } from '../host/changes/index.ts';
import type { Host } from '../host/host.ts';
import { recordingHost } from '../host/recording.ts';
import { planOfPhase } from '../pipeline/phase-plan.ts';
import type { RunEvent } from '../run/run.ts';
import { type AnyPhase, fail, isJoinError, type Schema } from '../sdk/index.ts';
import { isDeclared, templateMatches } from './declared.ts';
import { mortalStore } from './kills.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from './memory-host.ts';
import { runPhase, undoPhase } from './run-phase.ts';
import { shownOf } from './shown.ts';
import { SimulatedTime } from './simulated-time.ts';
import { keyOf, keysOf, stateOf } from './state.ts';

export interface ContractCase {
  /** As a user would give it: secrets are plain text. */
  input: Record<string, unknown>;
  /** A machine, and the cluster it talks to, as they are before; made anew for each run. */
  machine: () => MemoryMachine;
  /** Values of `random.once` that an earlier attempt has made. */
  once?: Readonly<Record<string, string>>;
  /** What is on the machine that `machine` cannot say. */
  prepare?: (host: MemoryHost) => Promise<void>;
  /** What later steps do with its outputs, before it is run a second time. */
  afterwards?: (host: MemoryHost, outputs: unknown) => Promise<void>;
  /** Texts that may be shown nowhere. */
  secrets: string[];
  /** Left out: the phase changes something, and a contract in which it does not is mistaken. */
  changesNothing?: true;
  /** What it removes is kept nowhere, and so not put back; and where a part of that cannot be done, it says so and goes on. */
  goesOn?: true;
}

/** How far a change was checked differs between a run and its dry run; what it is does not. */
const essence = (change: StepChange): object => (change.kind === 'api' ? { ...change, checked: '', why: '' } : change);

export interface Promised {
  title: string;
  check: () => Promise<void>;
}

/** Registers the contract with a runner: `test` is that of `node:test`, of vitest, or of any other. */
export function itKeepsThePhaseContract(
  phase: AnyPhase,
  contract: ContractCase,
  test: (title: string, check: () => Promise<void>) => unknown,
): void {
  for (const { title, check } of promisesOf(phase, contract)) test(`${phase.name} ${title}`, check);
}

export function promisesOf(phase: AnyPhase, contract: ContractCase): Promised[] {
  const { machine, secrets, once = {} } = contract;
  const defaults = Object.entries(phase.input.properties ?? {}).map(([name, schema]) => [name, schema.default]);
  const input = { ...Object.fromEntries(defaults.filter(([, value]) => value !== undefined)), ...contract.input };
  const made = async (): Promise<MemoryHost> => {
    const host = memoryHost(machine());
    await contract.prepare?.(host);
    host.changes.length = 0;
    return host;
  };
  const assertNoSecret = (...shown: unknown[]) => {
    const text = shown.map(shownOf).join('\n');
    for (const secret of secrets) assert.ok(!text.includes(secret), `it shows ${secret.slice(0, 12)}…`);
  };
  const assertSecretsKept = (host: MemoryHost) => {
    for (const change of host.changes) {
      if (change.kind !== 'file' || !secrets.some((secret) => change.content.includes(secret))) continue;
      const { path, mode } = change;
      const declared = phase.effects.some(
        (effect) => effect.kind === 'path' && templateMatches(effect.path, path, input),
      );
      assert.ok(declared, `a secret is written to ${path}, which is not declared`);
      assert.equal(mode & 0o077, 0, `a secret is written to ${path}, which is open to others`);
    }
  };

  return [
    {
      title: 'describes each of its inputs, and says what it declares with inputs it has',
      async check() {
        const properties: Readonly<Record<string, Schema>> = phase.input.properties ?? {};
        const silent = Object.keys(properties).filter((name) => !properties[name]?.description);
        assert.deepEqual(silent, [], 'inputs without a description');
        for (const effect of phase.effects) {
          assert.notEqual(effect.why, '', 'an effect without a reason');
          if (effect.kind !== 'path') continue;
          for (const [, name = ''] of effect.path.matchAll(/\{(\w*).*?\}/g))
            assert.ok(name in properties, `${effect.path} names an input ${name} that there is not`);
          assert.match(effect.path, /^(\/|\{)(?!.*\/\/)(?!.*\/\.\.?(\/|$)).*[^/]$/, 'an impossible path');
        }
      },
    },

    {
      title: 'does in a run what its dry run says, and declares all of it',
      async check() {
        const inner = await made();
        const dry = await runPhase(phase, input, recordingHost(inner), { once });
        assertSucceeded(dry);
        assert.deepEqual(inner.changes, [], 'a dry run changed the machine');
        const isRead = ({ method, ref, query }: MemoryHost['sent'][number]) =>
          method === 'GET' || ref === undefined || query.dryRun === 'All';
        assert.deepEqual(
          inner.sent.filter((request) => !isRead(request)),
          [],
          'a dry run changed the cluster',
        );

        const host = await made();
        const real = await runPhase(phase, input, host, { once });
        assertSucceeded(real);
        assert.deepEqual(dry.changes.map(essence), real.changes.map(essence), 'the dry run said something else');
        assert.equal(
          real.changes.length > 0,
          contract.changesNothing !== true,
          contract.changesNothing ? 'it changes something' : 'nothing happens in this case: say changesNothing: true',
        );
        for (const change of real.changes)
          assert.ok(isDeclared(phase.effects, change, input), `not declared: ${JSON.stringify(change)}`);
        assertSecretsKept(host);
        assertNoSecret(dry, real, planOfPhase(phase.name, phase, input, host.facts));
      },
    },

    {
      title: 'changes nothing the second time',
      async check() {
        const host = await made();
        const first = await runPhase(phase, input, host, { once });
        assertSucceeded(first);
        await contract.afterwards?.(host, first.result.steps[0]?.outputs);
        host.changes.length = 0;
        const second = await runPhase(phase, input, host, { once });
        assertSucceeded(second);
        assert.deepEqual(second.changes, []);
        assert.deepEqual(host.changes, []);
        const dry = await runPhase(phase, input, recordingHost(host), { once });
        assert.deepEqual([dry.error, dry.changes], [undefined, []]);
        assertNoSecret(second, dry);
      },
    },

    {
      title: 'ends as it should, keeps its secrets and can be taken back, whichever of its calls fails',
      async check() {
        const calls = (await failingAt(await made(), undefined, phase, input, once)).count;
        const mayDoWithItsInputs = contract.changesNothing === true && phase.effects.length === 0;
        assert.ok(calls > 0 || mayDoWithItsInputs, 'it makes no call that could fail');
        for (const injected of [fail('E_FILE', { path: '/injected', what: 'no space' }), new Error('injected')])
          for (let k = 0; k < calls; k++) {
            const host = await made();
            const { outcome, before } = await failingAt(host, { at: k, error: injected }, phase, input, once);
            const { result, error } = outcome;
            assertSecretsKept(host);
            assertNoSecret(outcome);
            if (contract.goesOn && result.status === 'succeeded') continue;
            assert.equal(result.status, 'failed', `call ${k} fails, and it goes on`);
            assert.ok(error === injected || isJoinError(error), `call ${k} fails with ${String(error)}`);
            assert.equal(result.error, error);
            if (contract.goesOn) continue;
            assert.deepEqual(await stateOf(host, [...before.keys()]), before, `call ${k} is not taken back`);
          }
      },
    },

    {
      title: 'is taken back, and goes on, wherever it is killed',
      async check() {
        const clean = await finalState();
        for (let point = 0; ; point++) {
          const [kept, undone] = [await killedAt(point), await killedAt(point)];
          if (kept === undefined || undone === undefined) break;
          const at = `killed at ${point % 2 === 0 ? 'the beginning' : 'the end'} of write ${point >> 1} of its journal`;
          const journal = undone.survivor();
          if (journal !== undefined) {
            const result = await undoPhase(phase, undone.host, journal, new SimulatedTime());
            assert.equal(result.status, 'succeeded', `${at}, it is not taken back: ${String(result.error)}`);
          }
          if (contract.goesOn === undefined)
            assert.deepEqual(await stateOf(undone.host, clean.keys), clean.before, `${at}, it is not taken back`);
          const again = kept.survivor();
          const outcome = await runPhase(phase, input, kept.host, { once, ...(again && { journal: again }) });
          assertSucceeded(outcome, `${at}, it does not go on`);
          const found = [...(await stateOf(kept.host, clean.keys))].filter(([key]) => clean.after.has(key));
          assert.deepEqual(new Map(found), clean.after, `${at}, it ends otherwise`);
          assertNoSecret(outcome);
        }
      },
    },
  ];

  /** How the machine is before and after a run that nobody kills; what is another each time is left out. */
  async function finalState() {
    const [host, other] = [await made(), await made()];
    for (const each of [host, other]) assertSucceeded(await runPhase(phase, input, each, { once }));
    const keys = keysOf(host.changes);
    const [before, after] = [await stateOf(await made(), keys), await stateOf(host, keys)];
    const otherwise = await stateOf(other, keys);
    for (const [key, state] of otherwise) if (shownOf(state) !== shownOf(after.get(key))) after.delete(key);
    return { keys, before, after };
  }

  /** Undefined where it ended before it could be killed. */
  async function killedAt(point: number) {
    const host = await made();
    const store = mortalStore(point);
    const ran = runPhase(phase, input, host, { once, store, clock: new SimulatedTime() });
    const isDead = (await Promise.race([ran, store.dead])) === 'dead';
    return isDead ? { host, survivor: () => store.survivor(host.now) } : undefined;
  }
}

function assertSucceeded({ error, result }: { error: unknown; result: { status: string } }, what = 'it fails'): void {
  assert.equal(error, undefined, `${what}: ${String(error)}`);
  assert.equal(result.status, 'succeeded');
}

/** Runs the phase on a host whose call number `at` fails, and takes it back; `before` is what was where it changed something. */
async function failingAt(
  host: MemoryHost,
  failure: { at: number; error: unknown } | undefined,
  phase: AnyPhase,
  input: Record<string, unknown>,
  once: Readonly<Record<string, string>>,
) {
  let count = 0;
  let armed = true;
  const before = new Map<string, unknown>();
  const call = async <T>(act: () => Promise<T>): Promise<T> => {
    if (armed && count++ === failure?.at) throw failure.error;
    return act();
  };
  const watched: Host = {
    facts: host.facts,
    access: host.access,
    now: host.now,
    read: (query, signal) => call(() => host.read(query, signal)),
    apply: (change, signal) =>
      call(async () => {
        const key = keyOf(change);
        if (key !== undefined && !before.has(key))
          for (const [name, state] of await stateOf(host, [key])) before.set(name, state);
        return host.apply(change, signal);
      }),
    send: (request, signal) => call(() => host.send(request, signal)),
    wait: (condition, signal) => call(() => host.wait(condition, signal)),
  };
  const disarm = (event: RunEvent) => {
    if (event.type === 'step.ended') armed = false;
  };
  const outcome = await runPhase(phase, input, watched, { onFailure: 'undo', onEvent: disarm, once });
  return { outcome, count, before };
}
