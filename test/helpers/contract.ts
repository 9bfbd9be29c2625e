/** What every phase promises, as tests: see docs on phases. */
import { describe, expect, test } from 'vitest';
import type { Host, StepChange } from '../../engine/host/host.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/host/memory.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { Journal } from '../../engine/journal/journal.ts';
import { memoryStore } from '../../engine/journal/memory.ts';
import { planOfPhase } from '../../engine/pipeline/single.ts';
import { type RunEvent, type RunResult, run } from '../../engine/run.ts';
import { type AnyPhase, type Effect, fail, isJoinError, type Ports, type Schema } from '../../engine/sdk/index.ts';
import { withSecrets } from '../../engine/sdk/schema.ts';
import { shownOf } from './errors.ts';

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

interface Outcome {
  result: RunResult;
  events: RunEvent[];
  changes: StepChange[];
  error: unknown;
  /** What the phase itself has told; the engine takes secrets out of it. */
  said: unknown[];
}

const SIGNAL = new AbortController().signal;

export async function runPhase(
  phase: AnyPhase,
  input: Record<string, unknown>,
  host: Host,
  options: { onFailure?: 'undo'; onEvent?: (event: RunEvent) => void; once?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const events: RunEvent[] = [];
  const said: unknown[] = [];
  const { onEvent, once = {}, ...rest } = options;
  const plan = planOfPhase(phase.name, overheard(phase, said), structuredClone(input), host.facts);
  const { pipeline, source, inputs } = plan;
  const start = {
    version: 1,
    id: 'made',
    joinery: '',
    pipeline,
    source,
    inputs,
    host: host.facts,
    steps: [phase.name],
  };
  const journal = Journal.begin(memoryStore(), host.now, start);
  for (const [name, value] of Object.entries(once)) await journal.once(phase.name, name, () => value);
  const result = await run({
    plan,
    host,
    journal,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event);
    },
    ...rest,
  });
  const [step] = result.steps;
  if (step === undefined) throw new Error('a run of one phase has one step');
  return { result, events, changes: step.changes, error: step.error, said };
}

function overheard(phase: AnyPhase, said: unknown[]): AnyPhase {
  const hear = (words: unknown): void => void said.push(shownOf(words));
  const heard = ({ files, log, ...ports }: Ports): Ports => ({
    ...ports,
    files: {
      ...files,
      async write(path, content, mode, owner) {
        hear(String(content));
        await files.write(path, content, mode, owner);
      },
    },
    log: {
      info(text) {
        hear(text);
        log.info(text);
      },
      warn(text) {
        hear(text);
        log.warn(text);
      },
    },
  });
  return {
    ...phase,
    async run(ports, input) {
      try {
        const outputs = await phase.run(heard(ports), input);
        hear(withSecrets(phase.output, outputs));
        return outputs;
      } catch (error) {
        hear(error);
        throw error;
      }
    },
  };
}

/** How far a change was checked differs between a run and its dry run; what it is does not. */
const essence = (change: StepChange): object => (change.kind === 'api' ? { ...change, checked: '', why: '' } : change);

/** Registers the contract as tests of this phase. */
export function itKeepsThePhaseContract(phase: AnyPhase, contract: ContractCase): void {
  describe(`${phase.name} keeps the contract of phases`, () => {
    test.each(promisesOf(phase, contract))('$title', ({ check }) => check());
  });
}

export interface Promised {
  title: string;
  check: () => Promise<void>;
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
  const expectNoSecret = (...shown: unknown[]) => {
    const text = shown.map(shownOf).join('\n');
    for (const secret of secrets) expect(text.includes(secret), `shows ${secret.slice(0, 12)}…`).toBe(false);
  };
  const expectSecretsKept = (host: MemoryHost) => {
    for (const change of host.changes) {
      if (change.kind !== 'file' || !secrets.some((secret) => change.content.includes(secret))) continue;
      const declared = phase.effects.some(
        (effect) => effect.kind === 'path' && templateMatches(effect.path, change.path, input),
      );
      expect(declared, change.path).toBe(true);
      expect(change.mode & 0o077, `${change.path} is open to others`).toBe(0);
    }
  };

  return [
    {
      title: 'describes each of its inputs, and says what it declares with inputs it has',
      async check() {
        const properties: Readonly<Record<string, Schema>> = phase.input.properties ?? {};
        expect(Object.entries(properties).filter(([, { description }]) => !description)).toEqual([]);
        for (const effect of phase.effects) {
          expect(effect.why).not.toBe('');
          if (effect.kind !== 'path') continue;
          for (const [, name] of effect.path.matchAll(/\{(\w*).*?\}/g)) expect(Object.keys(properties)).toContain(name);
          expect(effect.path, 'an impossible path').toMatch(/^(\/|\{)(?!.*\/\/)(?!.*\/\.\.?(\/|$)).*[^/]$/);
        }
      },
    },

    {
      title: 'does in a run what its dry run says, and declares all of it',
      async check() {
        const inner = await made();
        const dry = await runPhase(phase, input, recordingHost(inner), { once });
        expect(dry.error).toBeUndefined();
        expect(dry.result.status).toBe('succeeded');
        expect(inner.changes).toEqual([]);
        expect(
          inner.sent.filter(
            ({ method, ref, query }) => method !== 'GET' && ref !== undefined && query.dryRun !== 'All',
          ),
        ).toEqual([]);

        const host = await made();
        const real = await runPhase(phase, input, host, { once });
        expect(real.error).toBeUndefined();
        expect(dry.changes.map(essence)).toEqual(real.changes.map(essence));
        expect(real.changes.length > 0).toBe(contract.changesNothing !== true);
        for (const change of real.changes)
          expect(isDeclared(phase.effects, change, input), JSON.stringify(change)).toBe(true);
        expectSecretsKept(host);
        expectNoSecret(dry, real, planOfPhase(phase.name, phase, input, host.facts));
      },
    },

    {
      title: 'changes nothing the second time',
      async check() {
        const host = await made();
        const first = await runPhase(phase, input, host, { once });
        expect(first.error).toBeUndefined();
        await contract.afterwards?.(host, first.result.steps[0]?.outputs);
        host.changes.length = 0;
        const second = await runPhase(phase, input, host, { once });
        expect(second.error).toBeUndefined();
        expect(second.changes).toEqual([]);
        expect(host.changes).toEqual([]);
        const dry = await runPhase(phase, input, recordingHost(host), { once });
        expect([dry.error, dry.changes]).toEqual([undefined, []]);
        expectNoSecret(second, dry);
      },
    },

    {
      title: 'ends as it should, keeps its secrets and can be taken back, whichever of its calls fails',
      async check() {
        const calls = (await failingAt(await made(), undefined, phase, input, once)).count;
        const mayDoWithItsInputs = contract.changesNothing === true && phase.effects.length === 0;
        if (!mayDoWithItsInputs) expect(calls).toBeGreaterThan(0);
        for (const injected of [fail('E_FILE', { path: '/injected', what: 'no space' }), new Error('injected')])
          for (let k = 0; k < calls; k++) {
            const host = await made();
            const { outcome, before } = await failingAt(host, { at: k, error: injected }, phase, input, once);
            expectSecretsKept(host);
            expectNoSecret(outcome);
            if (contract.goesOn && outcome.result.status === 'succeeded') continue;
            expect(outcome.result.status, `call ${k}`).toBe('failed');
            expect(
              outcome.error === injected || isJoinError(outcome.error),
              `call ${k}: ${String(outcome.error)}`,
            ).toBe(true);
            expect(outcome.result.error).toBe(outcome.error);
            if (contract.goesOn === undefined)
              expect(await stateOf(host, [...before.keys()]), `call ${k} is not taken back`).toEqual(before);
          }
      },
    },
  ];
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
    now: host.now,
    read: (query, signal) => call(() => host.read(query, signal)),
    apply: (change, signal) =>
      call(async () => {
        const key = 'path' in change ? change.path : change.kind === 'service' ? `service ${change.name}` : undefined;
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

/** What is at each of these paths, and whether each of these services is running. */
async function stateOf(host: Host, keys: readonly string[]): Promise<Map<string, unknown>> {
  const states = new Map<string, unknown>();
  for (const key of keys)
    if (key.startsWith('service '))
      states.set(
        key,
        (await host.read<'service'>({ kind: 'service', name: key.slice('service '.length) }, SIGNAL)).active,
      );
    else
      states.set(key, [
        await host.read<'stat'>({ kind: 'stat', path: key }, SIGNAL),
        (await host.read<'file'>({ kind: 'file', path: key }, SIGNAL))?.toString(),
      ]);
  return states;
}

function isDeclared(effects: readonly Effect[], change: StepChange, input: Record<string, unknown>): boolean {
  return effects.some((effect) => {
    switch (change.kind) {
      case 'service':
        return (
          effect.kind === 'service' &&
          filled(effect.name, input) === change.name &&
          effect.actions.includes(change.action)
        );
      case 'command':
        return effect.kind === 'command' && change.command.split(' ')[0] === filled(effect.program, input);
      case 'api':
        return (
          effect.kind === 'api' &&
          effect.resource === change.resource &&
          effect.verbs.some((verb) => verb === change.verb)
        );
      case 'http':
        return effect.kind === 'http' && change.url.startsWith(filled(effect.url, input).split('*')[0] ?? '');
      case 'sandbox':
        return effect.kind === 'runtime';
      case 'unmount':
        return effect.kind === 'mounts';
      default:
        return (
          effect.kind === 'path' &&
          (templateMatches(effect.path, change.path, input) ||
            // Parents that are missing are made.
            (change.kind === 'directory' && `${effect.path}`.startsWith(`${change.path}/`)) ||
            (change.kind === 'directory' && filled(effect.path, input).startsWith(`${change.path}/`)))
        );
    }
  });
}

const filled = (template: string, input: Record<string, unknown>): string =>
  template.replace(/\{([\w.]+)\}/g, (_, name: string) =>
    String(name.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], input)),
  );

/** Written once more and differently from the engine's: piece by piece, without regular expressions. */
function templateMatches(template: string, path: string, input: Record<string, unknown>): boolean {
  const wanted = filled(template, input).split('/');
  const there = path.split('/');
  return (
    wanted.length === there.length &&
    wanted.every((part, index) => {
      const name = there[index] ?? '';
      const [head = '', ...tail] = part.split('*');
      const end = tail.at(-1);
      return end === undefined
        ? part === name
        : name.startsWith(head) && name.endsWith(end) && name.length >= head.length + end.length;
    })
  );
}
