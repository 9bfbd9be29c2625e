/** The checks of the phase contract. Each runs the phase on new machines and throws if it breaks a promise. */
import assert from 'node:assert/strict';
import type { StepChange } from '../host/changes/index.ts';
import { recordingHost } from '../host/recording.ts';
import { planOfPhase } from '../pipeline/phase-plan.ts';
import { type AnyPhase, fail, isJoinError, type Schema } from '../sdk/index.ts';
import type { ContractCase } from './contract-case.ts';
import { isDeclared, templateMatches } from './declared.ts';
import { failingAt } from './failing-host.ts';
import { mortalStore } from './kills.ts';
import { type MemoryHost, memoryHost } from './memory-host.ts';
import { printedForms } from './printed-forms.ts';
import { type Outcome, runPhase, undoPhase } from './run-phase.ts';
import { SimulatedTime } from './simulated-time.ts';
import { keysOf, stateOf } from './state.ts';

const PATH_FORM = /^(\/|\{)(?!.*\/\/)(?!.*\/\.\.?(\/|$)).*[^/]$/;

export class ContractChecks {
  readonly #phase: AnyPhase;
  readonly #contract: ContractCase;
  readonly #input: Record<string, unknown>;
  readonly #once: Readonly<Record<string, string>>;

  constructor(phase: AnyPhase, contract: ContractCase) {
    this.#phase = phase;
    this.#contract = contract;
    this.#once = contract.once ?? {};
    this.#input = { ...defaultsOf(phase.input), ...contract.input };
  }

  declaration(): void {
    const properties: Readonly<Record<string, Schema>> = this.#phase.input.properties ?? {};
    const undescribed = Object.keys(properties).filter((name) => !properties[name]?.description);
    assert.deepEqual(undescribed, [], 'inputs without a description');
    for (const effect of this.#phase.effects) {
      assert.notEqual(effect.why, '', 'an effect without a reason');
      if (effect.kind !== 'path') continue;
      for (const [, name = ''] of effect.path.matchAll(/\{(\w*).*?\}/g))
        assert.ok(name in properties, `${effect.path} names the input ${name}, which does not exist`);
      assert.match(effect.path, PATH_FORM, 'an impossible path');
    }
  }

  async dryRun(): Promise<void> {
    const dryHost = await this.#host();
    const dry = await this.#succeed(recordingHost(dryHost));
    assert.deepEqual(dryHost.changes, [], 'a dry run changed the machine');
    assert.deepEqual(dryHost.sent.filter(isWrite), [], 'a dry run changed the cluster');

    const host = await this.#host();
    const real = await this.#succeed(host);
    const { changesNothing } = this.#contract;
    assert.deepEqual(dry.changes.map(comparable), real.changes.map(comparable), 'the dry run reported other changes');
    if (changesNothing) assert.deepEqual(real.changes, [], 'the phase changes something');
    else assert.ok(real.changes.length > 0, 'nothing changes in this case: set changesNothing: true');
    for (const change of real.changes)
      assert.ok(isDeclared(this.#phase.effects, change, this.#input), `not declared: ${JSON.stringify(change)}`);
    this.#assertSecretsProtected(host);
    this.#assertNoSecret(dry, real, planOfPhase(this.#phase.name, this.#phase, this.#input, host.facts));
  }

  async secondRun(): Promise<void> {
    const host = await this.#host();
    const first = await this.#succeed(host);
    await this.#contract.afterwards?.(host, first.result.steps[0]?.outputs);
    host.changes.length = 0;
    const second = await this.#succeed(host);
    assert.deepEqual(second.changes, []);
    assert.deepEqual(host.changes, []);
    const dry = await this.#run(recordingHost(host));
    assert.deepEqual([dry.error, dry.changes], [undefined, []]);
    this.#assertNoSecret(second, dry);
  }

  async failures(): Promise<void> {
    const { changesNothing, goesOn } = this.#contract;
    const calls = (await this.#runFailingAt(await this.#host(), undefined)).count;
    const needsNoCall = changesNothing === true && this.#phase.effects.length === 0;
    assert.ok(calls > 0 || needsNoCall, 'the phase makes no call that could fail');
    for (const injected of [fail('E_FILE', { path: '/injected', what: 'no space' }), new Error('injected')])
      for (let call = 0; call < calls; call++) {
        const host = await this.#host();
        const { outcome, before } = await this.#runFailingAt(host, { at: call, error: injected });
        const { result, error } = outcome;
        this.#assertSecretsProtected(host);
        this.#assertNoSecret(outcome);
        if (goesOn && result.status === 'succeeded') continue;
        assert.equal(result.status, 'failed', `call ${call} fails, but the phase succeeds`);
        assert.ok(error === injected || isJoinError(error), `call ${call} fails with ${String(error)}`);
        assert.equal(result.error, error);
        if (goesOn) continue;
        assert.deepEqual(await stateOf(host, [...before.keys()]), before, `call ${call} is not undone`);
      }
  }

  /** For every write of the journal, one run is killed there and resumed, and another is killed there and undone. */
  async kills(): Promise<void> {
    const clean = await this.#cleanRun();
    for (let point = 0; ; point++) {
      const [resumed, undone] = [await this.#killedAt(point), await this.#killedAt(point)];
      if (resumed === undefined || undone === undefined) break;
      const where = `killed at the ${point % 2 === 0 ? 'start' : 'end'} of write ${point >> 1} of its journal`;
      await this.#assertUndone(undone, clean, where);
      await this.#assertResumed(resumed, clean, where);
    }
  }

  async #assertUndone({ host, survivor }: KilledRun, { keys, before }: CleanRun, where: string): Promise<void> {
    const journal = survivor();
    if (journal !== undefined) {
      const { status, error } = await undoPhase(this.#phase, host, journal, new SimulatedTime());
      assert.equal(status, 'succeeded', `${where}, the undo fails: ${String(error)}`);
    }
    if (this.#contract.goesOn) return;
    assert.deepEqual(await stateOf(host, keys), before, `${where}, the machine is not as before`);
  }

  async #assertResumed({ host, survivor }: KilledRun, { keys, after }: CleanRun, where: string): Promise<void> {
    const journal = survivor();
    const outcome = await runPhase(this.#phase, this.#input, host, { once: this.#once, ...(journal && { journal }) });
    assertSucceeded(outcome, `${where}, it does not resume`);
    const found = [...(await stateOf(host, keys))].filter(([key]) => after.has(key));
    assert.deepEqual(new Map(found), after, `${where}, the resumed run ends in another state`);
    this.#assertNoSecret(outcome);
  }

  /** The state before and after a run that is not killed. It omits state that differs from run to run. */
  async #cleanRun() {
    const [host, other] = [await this.#host(), await this.#host()];
    for (const each of [host, other]) await this.#succeed(each);
    const keys = keysOf(host.changes);
    const [before, after] = [await stateOf(await this.#host(), keys), await stateOf(host, keys)];
    for (const [key, state] of await stateOf(other, keys))
      if (printedForms(state) !== printedForms(after.get(key))) after.delete(key);
    return { keys, before, after };
  }

  /** Undefined if the run ends before it can be killed. */
  async #killedAt(point: number) {
    const host = await this.#host();
    const store = mortalStore(point);
    const options = { once: this.#once, store, clock: new SimulatedTime() };
    const run = runPhase(this.#phase, this.#input, host, options);
    const isDead = (await Promise.race([run, store.dead])) === 'dead';
    return isDead ? { host, survivor: () => store.survivor(host.now) } : undefined;
  }

  async #host(): Promise<MemoryHost> {
    const host = memoryHost(this.#contract.machine());
    await this.#contract.prepare?.(host);
    host.changes.length = 0;
    return host;
  }

  #run(host: Parameters<typeof runPhase>[2]): Promise<Outcome> {
    return runPhase(this.#phase, this.#input, host, { once: this.#once });
  }

  async #succeed(host: Parameters<typeof runPhase>[2]): Promise<Outcome> {
    const outcome = await this.#run(host);
    assertSucceeded(outcome, 'the phase fails');
    return outcome;
  }

  #runFailingAt(host: MemoryHost, failure: Parameters<typeof failingAt>[1]) {
    return failingAt(host, failure, { phase: this.#phase, input: this.#input, once: this.#once });
  }

  #assertNoSecret(...values: unknown[]): void {
    const text = values.map(printedForms).join('\n');
    for (const secret of this.#contract.secrets)
      assert.ok(!text.includes(secret), `a secret is visible: ${secret.slice(0, 12)}…`);
  }

  /** Files with a secret are declared, and only their owner can read them. */
  #assertSecretsProtected(host: MemoryHost): void {
    const { secrets } = this.#contract;
    const paths = this.#phase.effects.flatMap((effect) => (effect.kind === 'path' ? [effect.path] : []));
    for (const change of host.changes) {
      if (change.kind !== 'file' || !secrets.some((secret) => change.content.includes(secret))) continue;
      const { path, mode } = change;
      const isDeclaredPath = paths.some((template) => templateMatches(template, path, this.#input));
      assert.ok(isDeclaredPath, `a secret is written to ${path}, which is not declared`);
      assert.equal(mode & 0o077, 0, `a secret is written to ${path}, which other users can read`);
    }
  }
}

type CleanRun = { keys: string[]; before: Map<string, unknown>; after: Map<string, unknown> };
type KilledRun = { host: MemoryHost; survivor: () => ReturnType<ReturnType<typeof mortalStore>['survivor']> };

const defaultsOf = ({ properties = {} }: Schema): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, schema]) =>
      schema.default === undefined ? [] : [[name, schema.default]],
    ),
  );

/** A run and its dry run check a change differently. The change itself must be equal. */
const comparable = (change: StepChange): object =>
  change.kind === 'api' ? { ...change, checked: '', why: '' } : change;

const isWrite = ({ method, ref, query }: MemoryHost['sent'][number]): boolean =>
  method !== 'GET' && ref !== undefined && query.dryRun !== 'All';

function assertSucceeded({ error, result }: Outcome, what: string): void {
  assert.equal(error, undefined, `${what}: ${String(error)}`);
  assert.equal(result.status, 'succeeded');
}
