/** The join itself: it runs on the machine by itself, and the fleet follows its events. */
import { sleep } from '../../limits/timers.ts';
import { kebabCase } from '../../pipeline/flag-names.ts';
import type { RunEvent } from '../../run/run.ts';
import { isJoinError } from '../../sdk/errors.ts';
import type { Secret } from '../../sdk/secret.ts';
import type { JoinTarget } from '../../tokens/tokens.ts';
import type { Host } from '../fleet.ts';
import type { Machine } from '../transports/machine.ts';
import { eventIn, failed } from './answers.ts';

const START_TIME_MS = 3 * 60_000;
const FOLLOW_TIME_MS = 6 * 3_600_000;
/** How long a machine may be away before the attempt fails. Its run continues. */
const AWAY_MS_MAX = 10 * 60_000;
const PAUSE_MS = 2_000;
const PAUSE_MS_MAX = 30_000;

export interface JoinRequest {
  host: Host;
  machine: Machine;
  signal: AbortSignal;
}

export interface StartRequest extends JoinRequest {
  target: JoinTarget;
  token: Secret;
  /** Names, or paths on the machine. */
  pipeline: string;
  environments: readonly string[];
}

/** Starts the run, or resumes the unfinished run of the same plan. Returns its first event. Throws its error. */
export async function startRun({ host, machine, signal, ...request }: StartRequest): Promise<RunEvent> {
  const { target, token, pipeline, environments } = request;
  const args = [
    ...['run', target.endpoint, '--token', '-', '--pipeline', pipeline],
    ...target.pins.flatMap((pin) => ['--discovery-token-ca-cert-hash', pin]),
    ...environments.flatMap((environment) => ['--env', environment]),
    ...['--detach', '--output', 'jsonl'],
  ];
  const variables = Object.fromEntries(
    Object.entries(host.variables).map(([name, value]) => [variableOf(name), value]),
  );
  const answer = await machine.join(args, { stdin: token, variables, timeMs: START_TIME_MS, signal });
  const started = answer.stdout
    .split('\n')
    .map(eventIn)
    .find((event) => event?.type === 'run.started');
  if (answer.exitCode !== 0 || started === undefined) throw failed(answer, { host: host.name, command: 'run' });
  return started;
}

/** As `join run` reads it. */
const variableOf = (input: string): string => `JOINERY_${kebabCase(input).replaceAll('-', '_').toUpperCase()}`;

export interface FollowRequest extends JoinRequest {
  run: string;
  fromSeq: number;
  onEvent: (event: RunEvent) => void;
}

/**
 * Follows the run to its end, also over connections that are lost. Throws the error of the run, E_RUN_INTERRUPTED if
 * its process has ended before, and E_FLEET_UNREACHABLE if the machine stays away.
 */
export async function followRun({ host, machine, signal, run, fromSeq, onEvent }: FollowRequest): Promise<void> {
  let next = fromSeq;
  let last: RunEvent | undefined;
  let lastSeenAt = performance.now();
  let pauseMs = PAUSE_MS;
  for (;;) {
    try {
      let stdout = ''; // the last line
      const onLine = (line: string) => {
        stdout = line;
        const event = eventIn(line);
        if (event === undefined || event.run !== run || event.seq < next) return;
        [next, last, lastSeenAt, pauseMs] = [event.seq + 1, event, performance.now(), PAUSE_MS];
        onEvent(event);
      };
      const args = ['attach', run, '--from', `${next}`, '--output', 'jsonl'];
      const answer = await machine.join(args, { timeMs: FOLLOW_TIME_MS, signal, onLine });
      if (last?.type === 'run.ended' && last.status === 'succeeded') return;
      throw failed({ ...answer, stdout }, { host: host.name, command: 'attach' });
    } catch (error) {
      const isAway = isJoinError(error) && error.code === 'E_FLEET_UNREACHABLE';
      if (!isAway || performance.now() - lastSeenAt > AWAY_MS_MAX) throw error;
    }
    await sleep(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
  }
}
