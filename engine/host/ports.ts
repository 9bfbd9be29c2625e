/** The ports a phase is handed: one attempt's view of a host, held to the effects its phase declared. */
import { dirname } from 'node:path';
import { kubePort } from '../kube/port.ts';
import { type Effect, pathMatcher } from '../sdk/effects.ts';
import { fail } from '../sdk/errors.ts';
import { paths } from '../sdk/paths.ts';
import type { Ports, ServiceAction } from '../sdk/ports.ts';
import { isSecret, Secret } from '../sdk/secret.ts';
import type { Change, Host, Query, StepChange } from './host.ts';
import { inverseOf } from './inverse.ts';

export interface PortsOptions {
  host: Host;
  /** Names the values of `random.once`. */
  step: string;
  effects: readonly Effect[];
  input: object;
  signal: AbortSignal;
  log: (level: 'info' | 'warn', text: string) => void;
  onChange: (change: StepChange) => void;
  /** Called before each change of the machine with what takes it back. */
  onApply: (back: Change) => void;
}

export function portsFor({ host, step, effects, input, signal, log, onChange, onApply }: PortsOptions): Ports {
  const guard = guardFor(effects, input, signal);
  const read = async <K extends Query['kind']>(query: Extract<Query, { kind: K }>) => {
    guard.alive(`reading ${query.kind}`);
    return host.read<K>(query, signal);
  };
  const apply = async (change: Change, told: StepChange) => {
    guard.change(change);
    const back = await inverseOf(host, change, signal);
    if (back !== undefined) onApply(back);
    await host.apply(change, signal);
    onChange(told);
  };
  /** Directories are changes of their own, so that they are seen in a plan and go when they are undone. */
  const makeParents = async (path: string): Promise<void> => {
    const parent = dirname(path);
    if ((await stat(parent)) !== undefined) return;
    await makeParents(parent);
    const change = { kind: 'directory', path: parent, mode: 0o755 } as const;
    onApply({ kind: 'remove', path: parent });
    await host.apply(change, signal);
    onChange(change);
  };
  const applyBelow = async (change: Extract<Change, { path: string }>, told: StepChange) => {
    await makeParents(change.path);
    await apply(change, told);
  };
  const stat = (path: string) => read<'stat'>({ kind: 'stat', path });
  const control = async (name: string, action: ServiceAction) => {
    const change = { kind: 'service', name, action } as const;
    guard.change(change);
    const as = action === 'reload' ? undefined : (await read<'service'>({ kind: 'service', name })).active;
    if (as !== (action === 'start')) await apply(change, change);
  };

  return {
    signal,
    files: {
      read: (path) => read({ kind: 'file', path }),
      stat: (path) => read({ kind: 'stat', path }),
      list: (path) => read({ kind: 'list', path }),
      async write(path, content, mode) {
        const bytes = bytesOf(content);
        const secret = isSecret(content);
        const change = { kind: 'file', path, content: bytes, mode, secret } as const;
        guard.change(change); // also where nothing would change: what is undeclared is found on every machine
        const there = await stat(path);
        const same =
          there?.kind === 'file' && there.mode === mode && (await read<'file'>({ kind: 'file', path }))?.equals(bytes);
        if (same === true) return;
        const action = there === undefined ? 'create' : 'replace';
        const shown = secret ? undefined : bytes.toString('utf8');
        await applyBelow(change, { kind: 'file', path, action, mode, content: shown });
      },
      async directory(path, mode) {
        const change = { kind: 'directory', path, mode } as const;
        guard.change(change);
        if ((await stat(path)) === undefined) await applyBelow(change, change);
      },
      async link(path, target) {
        const change = { kind: 'link', path, target } as const;
        guard.change(change);
        if ((await stat(path))?.target !== target) await applyBelow(change, change);
      },
      async remove(path) {
        const change = { kind: 'remove', path } as const;
        guard.change(change);
        if ((await stat(path)) !== undefined) await apply(change, change);
      },
    },
    services: {
      status: (name) => read({ kind: 'service', name }),
      unit: (name) => read({ kind: 'unit', name }),
      start: (name) => control(name, 'start'),
      stop: (name) => control(name, 'stop'),
      reload: (name) => control(name, 'reload'),
      async waitHealthy(service, url) {
        guard.alive(`waiting for ${service}`);
        await host.wait({ kind: 'healthy', service, url }, signal);
      },
    },
    commands: {
      find: (name) => read({ kind: 'program', name }),
      query: async (argv) => {
        guard.command(argv[0] ?? '');
        return read({ kind: 'output', argv });
      },
      run: (argv, way) => {
        const undo = 'undo' in way ? way.undo : undefined;
        const irreversible = 'irreversible' in way ? way.irreversible : undefined;
        return apply(
          { kind: 'command', argv, undo, irreversible },
          { kind: 'command', command: argv.join(' '), irreversible },
        );
      },
    },
    kube: kubePort(host, signal, guard, onChange),
    clock: {
      now: () => host.now(),
      stamp: () => stampOf(host.now()),
    },
    random: {
      async once(name, make) {
        guard.alive(`random value ${name}`);
        const path = oncePath(step, name);
        const kept = await host.read<'file'>({ kind: 'file', path }, signal);
        if (kept !== undefined) return new Secret(kept.toString('utf8'));
        const value = make();
        await host.apply({ kind: 'directory', path: dirname(paths.runtime), mode: 0o755 }, signal);
        await host.apply({ kind: 'directory', path: paths.runtime, mode: 0o700 }, signal);
        await host.apply({ kind: 'file', path, content: Buffer.from(value), mode: 0o600, secret: true }, signal);
        return new Secret(value);
      },
    },
    log: {
      info: (text) => log('info', text),
      warn: (text) => log('warn', text),
    },
  };
}

const oncePath = (step: string, name: string): string => `${paths.runtime}/once.${step}.${name}`;
/** Removes what `random.once` kept: the run has ended, and nobody resumes it. */
export async function forgetOnce(host: Host): Promise<void> {
  const signal = new AbortController().signal;
  for (const name of (await host.read<'list'>({ kind: 'list', path: paths.runtime }, signal)) ?? [])
    if (name.startsWith('once.')) await host.apply({ kind: 'remove', path: `${paths.runtime}/${name}` }, signal);
}

function bytesOf(content: string | Buffer | Secret): Buffer {
  if (Buffer.isBuffer(content)) return content;
  return Buffer.from(isSecret(content) ? content.reveal() : content);
}

function stampOf(now: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())];
  return [...date, two(now.getHours()), two(now.getMinutes()), two(now.getSeconds())].join('-');
}

/** Refuses what the phase did not declare, and everything once the attempt has ended. */
function guardFor(effects: readonly Effect[], input: object, signal: AbortSignal) {
  const alive = (what: string): void => {
    if (signal.aborted) throw fail('E_ATTEMPT_ENDED', { what });
  };
  const pathDeclared = pathMatcher(
    effects.flatMap((effect) => (effect.kind === 'path' ? [effect.path] : [])),
    input,
  );
  const require = (declared: boolean, what: string): void => {
    alive(what);
    if (!declared) throw fail('E_EFFECT_UNDECLARED', { what });
  };
  const command = (program: string): void =>
    require(effects.some((effect) => effect.kind === 'command' && effect.program === program), `run ${program}`);
  const controlled = (name: string, action: ServiceAction): boolean =>
    effects.some((effect) => effect.kind === 'service' && effect.name === name && effect.actions.includes(action));
  return {
    alive,
    command,
    api: (verb: string, resource: string): void =>
      require(effects.some(
        (effect) =>
          effect.kind === 'api' && effect.resource === resource && effect.verbs.some((declared) => declared === verb),
      ), `${verb} ${resource}`),
    change(change: Change): void {
      if (change.kind === 'command') command(change.argv[0] ?? '');
      else if (change.kind === 'service')
        require(controlled(change.name, change.action), `${change.action} service ${change.name}`);
      else require(pathDeclared(change.path), `${change.kind} ${change.path}`);
    },
  };
}
