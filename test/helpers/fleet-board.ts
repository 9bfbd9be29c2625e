/** A rollout in memory, in the middle of its second wave, whose hosts the tests change one by one. */
import { type FleetAction, type FleetBoard, isApproval } from '../../engine/fleet/board.ts';
import type { FleetStatus, HostStatus, WaveStatus } from '../../engine/fleet/status.ts';
import { fail, type RunEvent } from '../../engine/sdk/index.ts';

const START_MS = Date.now() - 460_000;
const at = (seconds: number): string => new Date(START_MS + seconds * 1_000).toISOString();

const REFUSED = {
  code: 'E_API_UNREACHABLE',
  message: 'https://10.0.0.1:6443 did not answer for 2 minutes (connection refused)',
  next: 'join fleet retry HOST',
};
const HOST_KEY = {
  code: 'E_FLEET_HOST_KEY',
  message: 'the host key of the machine has changed since it was recorded in known_hosts',
  next: 'ssh-keygen -R HOST',
};

export class MemoryBoard implements FleetBoard {
  isKnown = true;
  readonly actions: FleetAction[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #events = new Map<string, RunEvent[]>();
  #status: FleetStatus;

  constructor(hosts: number) {
    this.#status = statusOf(hosts);
    for (const { name, state } of this.#status.hosts)
      if (state === 'failed' || state === 'joining') this.#events.set(name, eventsOf(name, state));
  }

  #refusal: string | undefined;

  /** Each action fails from here on. */
  refuse(what: string): void {
    this.#refusal = what;
  }

  status = (): FleetStatus => this.#status;
  eventsOf = (host: string): RunEvent[] => this.#events.get(host) ?? [];

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async act(action: FleetAction): Promise<void> {
    if (this.#refusal !== undefined) throw fail('E_RUN_NONE', { what: this.#refusal });
    if ('host' in action && !this.#status.hosts.some(({ name }) => name === action.host))
      throw fail('E_RUN_NONE', { what: `the fleet has no host ${action.host}` });
    this.actions.push(action);
    if (action.action === 'pause') this.change({ state: 'paused', reason: 'paused by the operator' });
    else if (action.action === 'resume') this.change({ state: 'running' });
    else if (action.action === 'retry') this.changeHost(action.host, { state: 'joining', step: 'reach' });
    else if (action.action === 'skip') this.changeHost(action.host, { state: 'skipped' });
    else if (isApproval(action)) this.answer(action.host);
  }

  change(fields: Partial<FleetStatus>): void {
    const { reason: _, ...status } = this.#status;
    this.#status = { ...status, ...fields };
    for (const listener of this.#listeners) listener();
  }

  changeHost(name: string, fields: Partial<HostStatus>): void {
    const hosts = this.#status.hosts.map((host) => (host.name === name ? { ...host, ...fields } : host));
    this.change({ hosts });
  }

  addEvent(host: string, event: RunEvent): void {
    this.#events.set(host, [...this.eventsOf(host), event]);
    this.change({});
  }

  private answer(name: string): void {
    const { hosts } = this.#status;
    this.change({ hosts: hosts.map((host) => (host.name === name ? withoutApproval(host) : host)) });
  }
}

const withoutApproval = ({ approval: _, ...host }: HostStatus): HostStatus => host;

/** Waves of one host, a tenth and the rest. Every 50th host has failed, and one waits for an approval. */
function statusOf(count: number): FleetStatus {
  const sizes = [1, Math.ceil(count / 10), count - 1 - Math.ceil(count / 10)];
  let first = 0;
  const waves = sizes.map((size, index): WaveStatus => {
    const hosts = Array.from({ length: size }, (_, each) => nameOf(first + each));
    first += size;
    return { number: index + 1, hosts, ...WAVE_TIMES[index], state: WAVE_TIMES[index]?.state ?? 'running' };
  });
  const hosts = waves.flatMap(({ number, hosts: names }) =>
    names.map((name, index) => hostOf(name, number, index, names.length)),
  );
  return {
    apiVersion: 'joinery.dev/v1',
    kind: 'FleetStatus',
    fleet: 'rack-a7',
    rollout: '20261124-090000-x7k2',
    state: 'running',
    startedAt: at(0),
    waves,
    hosts,
    budget: {
      failedHosts: hosts.filter(({ state }) => state === 'failed').length,
      allowedHosts: Math.ceil(count / 20),
    },
    concurrency: {
      joining: hosts.filter(({ state }) => state === 'joining').length,
      limit: 24,
      maximum: 32,
      reason: 'API server: 429 at 09:04:11Z',
    },
    joinsPerSecond: 2.4,
  };
}

const WAVE_TIMES: readonly Pick<WaveStatus, 'state' | 'startedAt' | 'endedAt'>[] = [
  { state: 'succeeded', startedAt: at(0), endedAt: at(40) },
  { state: 'succeeded', startedAt: at(60), endedAt: at(120) },
  { state: 'running', startedAt: at(150) },
];

const nameOf = (index: number): string => `node-${String(index + 1).padStart(4, '0')}`;

function hostOf(name: string, wave: number, index: number, size: number): HostStatus {
  const start = (WAVE_TIMES[wave - 1]?.startedAt ?? '') as string;
  const startSeconds = (Date.parse(start) - START_MS) / 1_000 + (index / size) * (wave === 3 ? 300 : 40);
  const started = { startedAt: at(startSeconds), attempts: 1, run: `20261124-0904-${name}` };
  const host = { name, role: 'worker' as const, wave };
  const share = index / size;
  if (wave === 3 && share > 0.62) return { ...host, state: 'waiting', attempts: 0 };
  const joining = { ...host, ...started, state: 'joining' as const, step: 'join' as const };
  if (wave === 3 && index === Math.floor(size * 0.61))
    return {
      ...joining,
      pipelineStep: 'window-open',
      approval: { step: 'window-open', message: 'Is the maintenance window open?', until: at(3_600) },
    };
  if (wave === 3 && share > 0.6) return { ...joining, pipelineStep: 'tls-bootstrap' };
  const ended = { ...started, endedAt: at(startSeconds + 9 + (index % 7)) };
  if (index % 50 === 7) {
    const error = index % 200 === 7 ? HOST_KEY : REFUSED;
    const next = error.next.replace('HOST', name);
    return { ...host, ...ended, state: 'failed', step: 'join', pipelineStep: 'discovery', error: { ...error, next } };
  }
  return { ...host, ...ended, state: index % 90 === 3 ? 'unchanged' : 'joined' };
}

const STEPS = ['preflight', 'discovery', 'kubelet-version', 'cluster-config', 'tls-bootstrap', 'kubelet-start'];

/** A run that has failed in `discovery`, or is at `tls-bootstrap`. */
function eventsOf(machine: string, state: 'failed' | 'joining'): RunEvent[] {
  const events: RunEvent[] = [];
  const add = (body: object) =>
    events.push({
      apiVersion: 'joinery.dev/v1',
      kind: 'Event',
      seq: events.length + 1,
      at: at(150 + events.length * 2),
      run: `20261124-0904-${machine}`,
      machine,
      pipeline: 'join-worker',
      ...body,
    } as RunEvent);
  const step = (id: string, ...bodies: object[]) => {
    add({ type: 'step.started', step: id, attempt: 1, direction: 'run' });
    for (const body of bodies) add({ step: id, ...body });
  };
  const ended = { type: 'step.ended', direction: 'run', attempts: 1, durationMs: 2_000 };
  const error = {
    code: REFUSED.code,
    message: REFUSED.message,
    hint: 'curl -k https://10.0.0.1:6443/livez',
    exitCode: 10,
  };
  add({ type: 'run.started', direction: 'run', dryRun: false, resumed: false, steps: STEPS });
  step('preflight', { type: 'step.log', level: 'warn', text: 'swap is on' }, { ...ended, status: 'succeeded' });
  if (state === 'failed') {
    step('discovery', { type: 'step.log', level: 'info', text: 'asking 10.0.0.1:6443' });
    add({ ...ended, step: 'discovery', status: 'failed', error });
    add({ type: 'run.ended', status: 'failed', durationMs: 20_000, changes: { made: 0, undone: 0, kept: 0 }, error });
    return events;
  }
  const change = { kind: 'file', path: '/etc/kubernetes/pki/ca.crt', action: 'create', mode: 0o644, content: 'PEM' };
  step('discovery', { type: 'step.change', change }, { ...ended, status: 'succeeded' });
  step('tls-bootstrap', { type: 'step.wait', what: 'the certificate', waitedMs: 0, until: at(1_000) });
  return events;
}
