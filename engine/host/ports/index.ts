/** The ports a phase is handed: one attempt's view of a host, held to the effects its phase declared. */
import { dirname, posix } from 'node:path';
import { kubePort } from '../../kube/port.ts';
import { isSafe, originOf, shownUrl } from '../../net/address.ts';
import { allowsAddress, allowsPath, allowsProgram, type Bounds } from '../../sdk/bounds.ts';
import { type Effect, fillTemplate, pathMatcher } from '../../sdk/effects.ts';
import { fail } from '../../sdk/errors.ts';
import type { HttpAnswer, HttpCall, Ports, ServiceAction, ServiceStatus } from '../../sdk/ports.ts';
import { isSecret, type Secret } from '../../sdk/secret.ts';
import type { Change, CommandOptions, Host, Query, StepChange, Wait } from '../host.ts';

export interface PortsOptions {
  host: Host;
  effects: readonly Effect[];
  /** Beyond these nothing is declared, whatever an input says: those of the plugin that the phase comes from. */
  bounds?: Bounds | undefined;
  input: object;
  signal: AbortSignal;
  /** Whether a secret of the run can be read in it. */
  hasSecret: (text: string) => boolean;
  log: (level: 'info' | 'warn', text: string) => void;
  onChange: (change: StepChange) => void;
  /** Told of each wait before it begins. */
  onWait?: (wait: Wait) => void;
  /** Awaited before each change, so that it is journaled when it is made; the change is absent where it is the cluster's. */
  record: (told: StepChange, change: Change | undefined) => Promise<void>;
  once: (name: string, make: () => string, anew: boolean) => Promise<Secret>;
}

export function portsFor(options: PortsOptions): Ports {
  const { signal, hasSecret, log, onChange, onWait, once } = options;
  const host: Host = {
    ...options.host,
    wait(condition, ended) {
      onWait?.(condition);
      return options.host.wait(condition, ended);
    },
  };
  const guard = guardFor(options);
  const read = async <K extends Query['kind']>(query: Extract<Query, { kind: K }>) => {
    guard.alive(`reading ${query.kind}`);
    return host.read<K>(query, signal);
  };
  const apply = async (change: Change, told: StepChange) => {
    guard.change(change);
    await applyUnguarded(change, told);
  };
  const record: PortsOptions['record'] = async (told, change) => {
    assertSize(told.kind, JSON.stringify({ ...told, content: undefined }).length, TOLD_LENGTH_MAX);
    await options.record(told, change);
  };
  const applyUnguarded = async (change: Change, told: StepChange) => {
    await record(told, change);
    guard.alive(`${change.kind} while it ended`); // recording took a moment
    await host.apply(change, signal);
    onChange(told);
  };
  /** Directories are changes of their own, so that they are seen in a plan and go when they are undone. */
  const makeParents = async (path: string): Promise<void> => {
    const parent = dirname(path);
    if ((await stat(parent)) !== undefined) return;
    await makeParents(parent);
    const change = { kind: 'directory', path: parent, mode: 0o755 } as const;
    await applyUnguarded(change, change);
  };
  const applyBelow = async (change: Extract<Change, { path: string }>, told: StepChange) => {
    await makeParents(change.path);
    await apply(change, told);
  };
  const random = async (name: string, make: () => string, anew: boolean) => {
    guard.alive(`random value ${name}`);
    return once(name, make, anew);
  };
  const stat = (path: string) => read<'stat'>({ kind: 'stat', path });
  const control = async (name: string, action: ServiceAction) => {
    const change = { kind: 'service', name, action } as const;
    guard.change(change);
    if (isAlready(action, await read<'service'>({ kind: 'service', name }))) return;
    await apply(change, change);
  };

  return {
    signal,
    files: {
      read: (path) => read({ kind: 'file', path }),
      stat: (path) => read({ kind: 'stat', path }),
      list: (path) => read({ kind: 'list', path }),
      async waitFor(path, done) {
        guard.alive(`waiting for ${path}`);
        return (await host.wait({ kind: 'file', path, done }, signal)) as Buffer | undefined;
      },
      async write(path, content, mode, owner) {
        const bytes = bytesOf(content);
        assertSize('file', bytes.length, CONTENT_BYTES_MAX);
        const secret = isSecret(content) || hasSecret(bytes.toString('utf8'));
        const owned = owner === undefined ? {} : { owner };
        const change = { kind: 'file', path, content: bytes, mode, secret, ...owned } as const;
        guard.change(change); // also where nothing would change: what is undeclared is found on every machine
        const there = await stat(path);
        const isOwned = owner === undefined || (there?.uid === owner.uid && there?.gid === owner.gid);
        const isAs = isOwned && there?.kind === 'file' && there.mode === mode;
        const same = isAs && (await read<'file'>({ kind: 'file', path }))?.equals(bytes);
        if (same === true) return;
        const action = there === undefined ? 'create' : 'replace';
        const shown = secret ? undefined : bytes.toString('utf8');
        await applyBelow(change, { kind: 'file', path, action, mode, content: shown, ...owned });
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
      async removeTree(path) {
        const change = { kind: 'remove-tree', path } as const;
        guard.change(change);
        if ((await stat(path)) !== undefined) await apply(change, change);
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
      restart: (name) => control(name, 'restart'),
      reload: (name) => control(name, 'reload'),
      reloadService: (name) => control(name, 'reload-service'),
      enable: (name, enabled) => control(name, enabled ? 'enable' : 'disable'),
      mask: (name, masked) => control(name, masked ? 'mask' : 'unmask'),
      async waitHealthy(service, url) {
        guard.alive(`waiting for ${service}`);
        await host.wait({ kind: 'healthy', service, url }, signal);
      },
    },
    commands: {
      find: (name) => read({ kind: 'program', name }),
      query: async (argv, environment, limits) => {
        guard.command(argv);
        return read({ kind: 'output', argv, ...surroundings(environment, limits) });
      },
      async run(argv, way, environment, limits) {
        const undo = 'undo' in way ? way.undo : undefined;
        const irreversible = 'irreversible' in way ? way.irreversible : undefined;
        const change = { kind: 'command', argv, undo, irreversible, ...surroundings(environment, limits) } as const;
        await apply(change, { kind: 'command', command: argv.join(' '), irreversible });
      },
    },
    mounts: {
      async below(path) {
        const found = await read<'mounts'>({ kind: 'mounts', path });
        guard.mounts(path, found);
        return found;
      },
      async unmount(path) {
        const change = { kind: 'unmount', path } as const;
        await apply(change, change);
      },
    },
    runtime: {
      status: (socket) => read({ kind: 'runtime', socket }),
      cgroupDriver: (socket) => read({ kind: 'cgroups', socket }),
      podSandboxes: (socket) => read({ kind: 'sandboxes', socket }),
      async removePodSandbox(socket, { id, namespace, name }) {
        const pod = `${namespace}/${name}`;
        await apply({ kind: 'pod-sandbox', socket, id, pod }, { kind: 'pod-sandbox', pod });
      },
    },
    web: {
      async get(url) {
        guard.web(url);
        return read({ kind: 'download', url });
      },
      async call(call, irreversible) {
        guard.http(call);
        if (isSafe(call)) return read({ kind: 'http', call });
        const told = { kind: 'http', method: call.method, url: shownUrl(call.url), irreversible } as const;
        let answer: HttpAnswer = { status: 0, body: '' };
        const answered = (given: HttpAnswer): void => {
          answer = given;
        };
        await apply({ kind: 'http', call, irreversible, answered }, told);
        return answer;
      },
      async waitFor(call) {
        guard.http(call);
        await host.wait({ kind: 'answer', call }, signal);
      },
      async waitForPort(name, port) {
        guard.alive(`waiting for ${name}:${port}`);
        await host.wait({ kind: 'port', host: name, port }, signal);
      },
      roots: () => read({ kind: 'roots' }),
    },
    kube: kubePort(host, signal, guard, { record: (told) => record(told, undefined), onChange }),
    clock: { now: () => host.now() },
    random: {
      once: (name, make) => random(name, make, false),
      again: (name, make) => random(name, make, true),
    },
    log: {
      info: (text) => log('info', text),
      warn: (text) => log('warn', text),
    },
  };
}

const CONTENT_BYTES_MAX = 4 << 20; // as much as can be read back
const TOLD_LENGTH_MAX = 64 << 10;
const PATH_LENGTH_MAX = 4096; // PATH_MAX

/** What is larger could not be journaled, or not be looked at afterwards. */
function assertSize(kind: string, size: number, bytesMax: number): void {
  if (size > bytesMax) throw fail('E_CHANGE_TOO_LARGE', { what: `a ${kind} of ${size} bytes`, bytesMax });
}

/** A service that is as it is to be is left alone; one whose unit cannot be enabled counts as enabled. */
function isAlready(action: ServiceAction, { active, enabled, masked = false }: ServiceStatus): boolean {
  switch (action) {
    case 'start':
      return active;
    case 'stop':
      return !active;
    case 'enable':
      return enabled;
    case 'disable':
      return !enabled;
    case 'mask':
      return masked;
    case 'unmask':
      return !masked;
    default:
      return false;
  }
}

function surroundings(environment: CommandOptions['environment'], limits: CommandOptions['limits']): CommandOptions {
  return { ...(environment === undefined ? {} : { environment }), ...(limits === undefined ? {} : { limits }) };
}

function bytesOf(content: string | Buffer | Secret): Buffer {
  if (Buffer.isBuffer(content)) return content;
  return Buffer.from(isSecret(content) ? content.reveal() : content);
}

/** Refuses what the phase did not declare, and everything once the attempt has ended. */
function guardFor({ effects, bounds, input, signal, hasSecret }: PortsOptions) {
  const alive = (what: string): void => {
    if (signal.aborted) throw fail('E_ATTEMPT_ENDED', { what });
  };
  const pathDeclared = pathMatcher(
    effects.flatMap((effect) => (effect.kind === 'path' ? [effect.path] : [])),
    input,
  );
  const urlDeclared = pathMatcher(
    effects.flatMap((effect) => (effect.kind === 'http' ? [effect.url] : [])),
    input,
  );
  // An effect `{name}` says nothing of what `name` is: the manifest of a plugin does.
  const isWithin = (path: string): boolean => bounds === undefined || allowsPath(bounds, path);
  const isAddressWithin = (url: string): boolean => bounds === undefined || allowsAddress(bounds, url);
  const isProgramWithin = (program: string): boolean => bounds === undefined || allowsProgram(bounds, program);
  const isServiceWithin = (name: string): boolean => bounds === undefined || bounds.services.includes(name);
  const require = (declared: boolean, what: string): void => {
    alive(what);
    if (!declared) throw fail('E_EFFECT_UNDECLARED', { what });
  };
  /** Every user of the machine can read the command lines of its processes. */
  const command = (argv: readonly string[]): void => {
    const [program = ''] = argv;
    const starts = ({ program: declared }: Extract<Effect, { kind: 'command' }>) =>
      declared === '*' || fillTemplate(declared, input) === program;
    const isDeclared = effects.some((effect) => effect.kind === 'command' && starts(effect));
    require(isDeclared && isProgramWithin(program), `run ${program}`);
    if (argv.some(hasSecret)) throw fail('E_SECRET_SHOWN', { program });
  };
  /** Addresses are logged on the way, and shown in plans. */
  const http = ({ url, method }: HttpCall): void => {
    require(urlDeclared(url) && isAddressWithin(url), `${method} ${shownUrl(url)}`);
    if (hasSecret(url)) throw fail('E_SECRET_IN_ADDRESS', { origin: originOf(url) });
  };
  const mounted = new Set<string>();
  const has = (kind: Effect['kind']): boolean => effects.some((effect) => effect.kind === kind);
  const controlled = (name: string, action: ServiceAction): boolean =>
    effects.some(
      (effect) =>
        effect.kind === 'service' && fillTemplate(effect.name, input) === name && effect.actions.includes(action),
    );
  return {
    alive,
    command,
    http,
    web: (url: string): void => require(has('web') && isAddressWithin(url), `read ${url}`),
    /** What may be unmounted is what was found below a declared path. */
    mounts(path: string, found: readonly string[]): void {
      if (effects.some((effect) => effect.kind === 'mounts' && effect.path === path))
        for (const mount of found) mounted.add(mount);
    },
    api: (verb: string, resource: string): void =>
      require(effects.some(
        (effect) =>
          effect.kind === 'api' &&
          fillTemplate(effect.resource, input) === resource &&
          effect.verbs.some((declared) => declared === verb),
      ), `${verb} ${resource}`),
    change(change: Change): void {
      if ('path' in change) assertSize('path', change.path.length, PATH_LENGTH_MAX);
      if (change.kind === 'link') assertSize('link', change.target.length, PATH_LENGTH_MAX);
      if (change.kind === 'command') {
        command(change.argv);
        if (change.undo !== undefined) command(change.undo);
      } else if (change.kind === 'service')
        require(controlled(change.name, change.action) &&
          isServiceWithin(change.name), `${change.action} service ${change.name}`);
      else if (change.kind === 'http') http(change.call);
      else if (change.kind === 'pod-sandbox') require(has('runtime'), 'remove a Pod sandbox');
      else if (change.kind === 'unmount') require(mounted.has(change.path), `unmount ${change.path}`);
      else require(pathDeclared(change.path) && isWithin(change.path), `${change.kind} ${change.path}`);
      // Whoever may link anywhere may write anywhere.
      if (change.kind === 'link')
        require(isWithin(
          posix.resolve(dirname(change.path), change.target),
        ), `link ${change.path} to ${change.target}`);
    },
  };
}
