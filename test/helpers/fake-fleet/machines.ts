/**
 * Machines and their cluster in one process, behind HTTP, so that they outlive an operator that is killed. They record
 * every join, and refuse what may not happen: two joins of one machine, and a join without its token.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Inspection } from '../../../engine/fleet/machine.ts';
import type { RunEvent } from '../../../engine/run/run.ts';

export interface MachineRecord {
  /** How often a run has started on it. */
  starts: number;
  state: Inspection['state'];
  events: RunEvent[];
  undone: number;
}

export interface FakeOptions {
  joinMs?: number;
  /** Hosts that cannot be reached. */
  dead?: readonly string[];
  /** Hosts whose join fails, once or always. */
  failing?: Readonly<Record<string, 'once' | 'always'>>;
}

export class FakeMachines {
  readonly machines = new Map<string, MachineRecord>();
  readonly tokens = new Set<string>();
  /** What may not happen, but has. */
  readonly violations: string[] = [];
  readonly revoked: string[] = [];
  joining = 0;
  joiningMax = 0;
  readonly #options: FakeOptions;
  readonly #failing: Record<string, 'once' | 'always'>;
  readonly #runs = new Map<string, Promise<void>>();
  #server: Server | undefined;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.#failing = { ...options.failing };
  }

  async listen(): Promise<string> {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const { step, args } = JSON.parse(Buffer.concat(chunks).toString());
      const answer = await this.step(step, args).then(
        (value) => ({ value }),
        (error: { code: string; message: string; transient?: boolean }) => ({
          error: { code: error.code, message: error.message, transient: error.transient ?? false },
        }),
      );
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  machine(host: string): MachineRecord {
    const known = this.machines.get(host) ?? { starts: 0, state: 'none', events: [], undone: 0 };
    this.machines.set(host, known);
    return known;
  }

  async step(step: string, { host, token = '', found }: { host: string; token?: string; found?: Inspection }) {
    const machine = this.machine(host);
    switch (step) {
      case 'reach':
        if (this.#options.dead?.includes(host)) throw problem('E_FLEET_UNREACHABLE', `cannot reach ${host}`);
        return { architecture: 'x64', hostName: host };
      case 'install':
        return { digest: 'sha256:1', changed: false };
      case 'inspect':
        return { state: machine.state, run: machine.starts === 0 ? undefined : runOf(host, machine) };
      case 'token':
        this.tokens.add(token);
        return token;
      case 'join':
        return this.#join(host, machine, token, found);
      case 'verify':
        if (machine.state !== 'joined') throw problem('E_FLEET_NODE', `the cluster has no Node ${host}`);
        return { node: host, uid: host };
      case 'revoke':
        this.tokens.delete(token);
        this.revoked.push(token);
        return undefined;
      case 'undo':
        machine.state = 'none';
        machine.undone++;
        return undefined;
      default:
        throw problem('E_FLEET_BUG', step);
    }
  }

  async #join(host: string, machine: MachineRecord, token: string, found: Inspection | undefined) {
    if (!this.#runs.has(host)) {
      if (machine.state === 'joined') this.violations.push(`${host} was joined twice (found ${found?.state})`);
      if (!this.tokens.has(token)) this.violations.push(`${host} joined without its token`);
      machine.starts++;
      machine.state = 'running';
      this.joining++;
      this.joiningMax = Math.max(this.joiningMax, this.joining);
      this.#runs.set(host, this.#run(host, machine));
    }
    await this.#runs.get(host);
    if (machine.state !== 'joined') throw problem('E_PREFLIGHT', `preflight of ${host} failed`);
    return { run: runOf(host, machine), events: machine.events };
  }

  async #run(host: string, machine: MachineRecord): Promise<void> {
    const { joinMs = 20 } = this.#options;
    await sleep(joinMs * (0.5 + Math.random()));
    const failing = this.#failing[host];
    if (failing === 'once') delete this.#failing[host];
    machine.state = failing === undefined ? 'joined' : 'unfinished';
    const event = {
      seq: machine.events.length + 1,
      run: runOf(host, machine),
      type: 'step.started',
      step: 'discovery',
    };
    machine.events.push(event as RunEvent);
    this.joining--;
    this.#runs.delete(host);
  }
}

const runOf = (host: string, { starts }: MachineRecord): string => `run-${host}-${starts}`;
const problem = (code: string, message: string) => Object.assign(new Error(message), { code });
