/** Server-sent events: the status of the rollout, and the runs of single hosts. */
import type { ServerResponse } from 'node:http';
import type { FleetBoard } from '../../engine/fleet/board.ts';
import type { FleetStatus } from '../../engine/fleet/status.ts';
import { startTimer, type Timer } from '../../engine/limits/timers.ts';
import { runView } from './run-view.ts';
import type { StatusMessage } from './view.ts';

/** Changes are collected for this long: a rollout has many, and people need few of them. */
const PAUSE_MS = 200;
/** A browser that is so far behind is disconnected. It connects again, and gets the whole status. */
const UNSENT_BYTES_MAX = 4 << 20;
const RECONNECT_MS = 1_000;

interface StatusStream {
  response: ServerResponse;
  /** Whether it has had the whole status, so that a part is enough. */
  isBegun: boolean;
}

interface RunStream {
  host: string;
  response: ServerResponse;
  /** The number of its last event that was sent. */
  seq: number;
}

export class Streams {
  readonly #board: FleetBoard;
  readonly #ofStatus = new Set<StatusStream>();
  readonly #ofRuns = new Set<RunStream>();
  readonly #stop: () => void;
  /** Each host as it was last sent, as JSON. */
  #sent = new Map<string, string>();
  #timer: Timer | undefined;

  constructor(board: FleetBoard) {
    this.#board = board;
    this.#stop = board.onChange(() => {
      this.#timer ??= startTimer(PAUSE_MS, () => this.#flush());
    });
  }

  addStatus(response: ServerResponse): void {
    open(response);
    const stream = { response, isBegun: false };
    this.#ofStatus.add(stream);
    response.on('close', () => this.#ofStatus.delete(stream));
    if (!this.#board.isKnown) return;
    const status = this.#board.status();
    if (this.#sent.size === 0) this.#sent = jsonByHost(status);
    this.#sendStatus(stream, status, []);
  }

  addRun(response: ServerResponse, host: string): void {
    open(response);
    const stream = { host, response, seq: 0 };
    this.#ofRuns.add(stream);
    response.on('close', () => this.#ofRuns.delete(stream));
    this.#sendRun(stream);
  }

  close(): void {
    this.#stop();
    this.#timer?.cancel();
    for (const { response } of this.#ofStatus) response.destroy();
    for (const { response } of this.#ofRuns) response.destroy();
  }

  #flush(): void {
    this.#timer = undefined;
    for (const stream of this.#ofRuns) this.#sendRun(stream);
    if (this.#ofStatus.size === 0 || !this.#board.isKnown) return;
    const status = this.#board.status();
    const next = jsonByHost(status);
    const hosts = status.hosts.filter(({ name }) => next.get(name) !== this.#sent.get(name));
    this.#sent = next;
    for (const stream of this.#ofStatus) this.#sendStatus(stream, status, hosts);
  }

  #sendStatus(stream: StatusStream, status: FleetStatus, changed: FleetStatus['hosts']): void {
    const isPart = stream.isBegun;
    stream.isBegun = true;
    send(stream.response, { isPart, status: isPart ? { ...status, hosts: changed } : status } satisfies StatusMessage);
  }

  #sendRun(stream: RunStream): void {
    const events = this.#board.eventsOf(stream.host);
    const seq = events.at(-1)?.seq ?? 0;
    if (seq === stream.seq) return;
    stream.seq = seq;
    send(stream.response, runView(events) ?? null);
  }
}

const jsonByHost = ({ hosts }: FleetStatus): Map<string, string> =>
  new Map(hosts.map((host) => [host.name, JSON.stringify(host)]));

function open(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
}

/** JSON has no line breaks, so it is one line of the stream. */
function send(response: ServerResponse, message: object | null): void {
  if (response.writableLength > UNSENT_BYTES_MAX) response.destroy();
  else response.write(`data: ${JSON.stringify(message)}\n\n`);
}
