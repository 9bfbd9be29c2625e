/** Services of the machine, managed by systemd or OpenRC. Source of the rules: kubeadm's initsystem package. */
import { get } from 'node:http';
import { get as getByTls } from 'node:https';
import { signalAfter, sleep } from '../limits/timers.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import type { ServiceAction, ServiceStatus } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';
import type { MachineCommands } from './commands.ts';
import { isOwnAddress } from './own-addresses.ts';

/** A service that was restarted this often will not start. */
const RESTARTS_MAX = 3;
const LOG_LINES = 200;
/** Less than what a step that has timed out may take to end. */
const LOG_TIME_LIMIT_MS = 3_000;
const FATAL = /^F\d{4} |failed to run Kubelet|^panic:|command failed/;
/** As klog marks errors. */
const ERROR = /^E\d{4} /;
const HEALTH_ANSWER_MS = 1_000;

export class MachineServices {
  readonly #commands: MachineCommands;
  #found: Promise<ServiceStatus['manager']> | undefined;

  constructor(commands: MachineCommands) {
    this.#commands = commands;
  }

  async status(name: string, signal: AbortSignal): Promise<ServiceStatus> {
    const manager = await this.#manager();
    if (manager === 'systemd') return this.#systemdStatus(name, signal);
    if (manager === 'openrc') return this.#openrcStatus(name, signal);
    return { manager, exists: false, enabled: false, active: false, failed: false };
  }

  async unit(name: string, signal: AbortSignal): Promise<string | undefined> {
    if ((await this.#manager()) !== 'systemd') return undefined;
    const { exitCode, stdout } = await this.#commands.run(['systemctl', 'cat', name], signal);
    return exitCode === 0 ? stdout : undefined;
  }

  async control(name: string, action: ServiceAction, signal: AbortSignal): Promise<void> {
    const manager = await this.#manager();
    if (manager === 'none') return;
    const argv = manager === 'systemd' ? systemctl(action, name) : openrc(action, name);
    if (argv === undefined) throw fail('E_SERVICE_ACTION', { service: name, action, manager });
    if (argv.length > 0) await this.#commands.must(argv, signal);
  }

  /** Queries the service often at first, because a port cannot be watched, and its manager once a second. */
  async waitHealthy(name: string, url: string, signal: AbortSignal): Promise<void> {
    if (!isOwnAddress(new URL(url).hostname)) throw fail('E_HEALTH_ADDRESS', { service: name, url });
    let pauseMs = 40; // no kubelet starts faster
    let nextStatusAtMs = performance.now() + 1_000;
    while (!(await answersOk(url))) {
      if (!signal.aborted && performance.now() >= nextStatusAtMs) {
        if (await this.#hasFailed(name, signal))
          throw fail('E_SERVICE_FAILED', { service: name, lastLine: await this.lastError(name) });
        nextStatusAtMs = performance.now() + 1_000;
      }
      await sleep(pauseMs, signal).catch(() => undefined);
      if (signal.aborted)
        throw fail('E_HEALTH', { service: name, url, lastLine: await this.lastError(name) }, signal.reason);
      pauseMs = Math.min(pauseMs * 1.5, 100);
    }
  }

  /** A manager that does not answer for a moment, or until the wait ends, says nothing about the service. */
  async #hasFailed(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      const { manager, failed } = await this.status(name, signal);
      return manager !== 'none' && failed;
    } catch (error) {
      if (signal.aborted || (isJoinError(error) && error.code === 'E_SERVICE_MANAGER')) return false;
      throw error;
    }
  }

  #manager(): Promise<ServiceStatus['manager']> {
    this.#found ??= (async () => {
      const has = async (program: string) => (await this.#commands.find(program)) !== undefined;
      if (await has('systemctl')) return 'systemd';
      return (await has('openrc')) && (await has('rc-service')) && (await has('rc-update')) ? 'openrc' : 'none';
    })();
    return this.#found;
  }

  async #systemdStatus(name: string, signal: AbortSignal): Promise<ServiceStatus> {
    const wanted = '--property=LoadState,ActiveState,SubState,UnitFileState,NRestarts';
    const { exitCode, stdout, stderr } = await this.#commands.run(['systemctl', 'show', name, wanted], signal);
    const properties = new Map(stdout.split('\n').map((line) => line.split('=', 2) as [string, string]));
    const [active, fileState] = [properties.get('ActiveState') ?? '', properties.get('UnitFileState')];
    const loadState = properties.get('LoadState');
    if (loadState === undefined) throw managerError('systemctl', exitCode, stderr || stdout);
    return {
      manager: 'systemd',
      exists: loadState !== 'not-found' && loadState !== 'masked',
      ...(loadState === 'masked' ? { masked: true } : {}),
      ...(LOADED.includes(loadState) ? {} : { unusable: `systemd cannot load its unit (${clean(loadState)})` }),
      // A unit without an [Install] section has no state, and counts as enabled.
      enabled: fileState !== 'disabled' && fileState !== 'masked',
      active: active === 'active' || active === 'activating' || active === 'reloading',
      failed: active === 'failed' || active === 'inactive' || Number(properties.get('NRestarts') ?? 0) >= RESTARTS_MAX,
    };
  }

  async #openrcStatus(name: string, signal: AbortSignal): Promise<ServiceStatus> {
    const [status, levels] = await Promise.all([
      this.#commands.run(['rc-service', name, 'status'], signal),
      this.#commands.run(['rc-update', 'show', 'default'], signal),
    ]);
    const said = status.stdout + status.stderr;
    if (NOT_BOOTED.test(said)) throw managerError('rc-service', status.exitCode, said);
    const exists = !said.includes('does not exist');
    const active = exists && !said.includes('stopped') && !said.includes('crashed');
    return { manager: 'openrc', exists, active, enabled: levels.stdout.includes(name), failed: !active };
  }

  /** The last fatal line of the service's log, or else its last error, or its last line. */
  async lastError(name: string): Promise<string> {
    const argv = ['journalctl', '-u', name, '-n', String(LOG_LINES), '-o', 'cat', '--no-pager'];
    const log = await this.#commands.run(argv, signalAfter(LOG_TIME_LIMIT_MS)).catch(() => undefined);
    const lines = (log?.stdout ?? '').split('\n').filter((line) => line.trim() !== '');
    const last = (kind: RegExp) => lines.findLast((line) => kind.test(line));
    return clean(last(FATAL) ?? last(ERROR) ?? lines.at(-1) ?? '(its log is empty, or there is no journalctl)');
  }
}

/** The other states of a unit file are `error`, `bad-setting` and `merged`. */
const LOADED = ['loaded', 'not-found', 'masked', 'stub', 'merged'];
const NOT_BOOTED = /openrc did not boot/i;

const managerError = (program: string, exitCode: number, output: string) =>
  fail('E_SERVICE_MANAGER', { program, what: clean(output.trim()) || `it exited with code ${exitCode}` });

function systemctl(action: ServiceAction, name: string): string[] {
  if (action === 'reload') return ['systemctl', 'daemon-reload'];
  return ['systemctl', action === 'reload-service' ? 'reload' : action, name];
}

/** Undefined if OpenRC has no such action. It reads changed scripts by itself. */
function openrc(action: ServiceAction, name: string): string[] | undefined {
  if (action === 'reload') return [];
  if (action === 'enable' || action === 'disable')
    return ['rc-update', action === 'enable' ? 'add' : 'delete', name, 'default'];
  if (action === 'mask' || action === 'unmask') return undefined;
  return ['rc-service', name, action === 'reload-service' ? 'reload' : action];
}

/** Certificates are not verified: the address is one of this machine, and the question holds no secret. */
const answersOk = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const ask = url.startsWith('https:') ? getByTls : get;
    const options = { signal: signalAfter(HEALTH_ANSWER_MS), rejectUnauthorized: false };
    const request = ask(url, options, ({ statusCode }) => {
      request.destroy();
      resolve(statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
