/** Progress on standard error: a live list at a terminal, otherwise one line for each event. */
import { subjectOf } from '../../engine/host/changes/index.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import type { RunEvent } from '../../engine/run/run.ts';
import { isJoinError, printable } from '../../engine/sdk/index.ts';
import { SIGN, seconds } from './text.ts';

export interface Progress {
  onEvent(event: RunEvent): void;
  /** Draws nothing until the returned function is called. */
  pause(): () => void;
  end(): void;
}

export const progress = async (plan: Plan, stream: NodeJS.WriteStream): Promise<Progress> =>
  stream.isTTY && process.env.CI === undefined ? liveList(plan, stream) : plainLines(stream);

function plainLines(stream: NodeJS.WritableStream): Progress {
  const begunAt = new Map<string, number>();
  return {
    onEvent(event) {
      const line = lineOf(event, begunAt);
      if (line !== undefined) stream.write(`${printable(line)}\n`);
    },
    pause: () => () => undefined,
    end: () => undefined,
  };
}

function lineOf(event: RunEvent, begunAt: Map<string, number>): string | undefined {
  switch (event.type) {
    case 'step.started':
      if (event.attempt === 1) begunAt.set(event.id, performance.now());
      return undefined;
    case 'step.kept':
      return `${SIGN.succeeded} ${event.id} (already done)`;
    case 'step.restored':
      return event.item.outcome === 'restored' ? `  ${event.id}: ${subjectOf(event.item.change)} restored` : undefined;
    case 'step.asked':
      return `? ${event.id}: ${askedText(event)}`;
    case 'step.log':
      return `  ${event.id}: ${event.level === 'warn' ? '! ' : ''}${event.text}`;
    case 'step.retrying':
      return `  ${event.id}: ${retryText(event)}`;
    case 'step.ended': {
      const now = performance.now();
      return `${SIGN[event.status]} ${event.id} (${seconds(now - (begunAt.get(event.id) ?? now))})`;
    }
    default:
      return undefined;
  }
}

const retryText = ({ attempt, pauseMs, error }: Extract<RunEvent, { type: 'step.retrying' }>): string =>
  `attempt ${attempt} failed: ${isJoinError(error) ? error.message : String(error)}; retrying in ${seconds(pauseMs)}`;

const askedText = ({ question: { run, step, message, until } }: Extract<RunEvent, { type: 'step.asked' }>): string =>
  `${message} (until ${until.toLocaleString('sv')}: join approve ${run} ${step})`;

const SPINNER = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'];

interface Row {
  sign: string;
  begunAt: number | undefined;
  tookMs: number | undefined;
  note: string;
}

async function liveList(plan: Plan, stream: NodeJS.WriteStream): Promise<Progress> {
  const { createLogUpdate } = await import('log-update'); // late, because only a terminal needs it
  const update = createLogUpdate(stream);
  const ids = [...plan.steps, ...(plan.finally?.steps ?? [])].map(({ id }) => id);
  const rows = new Map<string, Row>(
    ids.map((id) => [id, { sign: '·', begunAt: undefined, tookMs: undefined, note: '' }]),
  );
  const width = Math.max(...ids.map((id) => id.length));
  let isPaused = false;
  const draw = () => {
    if (isPaused) return;
    const spin = SPINNER[Math.floor(performance.now() / 80) % SPINNER.length] ?? '';
    const lines = [...rows].map(([id, { sign, begunAt, tookMs, note }]) => {
      const running = begunAt !== undefined && tookMs === undefined;
      const time = begunAt === undefined ? '' : seconds(tookMs ?? performance.now() - begunAt);
      return `${running ? spin : sign} ${id.padEnd(width)} ${time.padStart(7)}  ${note}`;
    });
    // A wrapped line would break the redraw; the result prints every note in full.
    update(lines.map((line) => printable(line).slice(0, (stream.columns ?? 80) - 1)).join('\n'));
  };
  let timer = setInterval(draw, 80);
  return {
    onEvent(event) {
      const row = rows.get(event.id);
      if (row === undefined) return;
      if (event.type === 'step.log' && event.level === 'warn') {
        // A warning stays above the list in full, because it may contain a command to copy.
        update.clear();
        stream.write(`${printable(`! ${event.text}`)}\n`);
      }
      apply(row, event);
      draw();
    },
    pause() {
      draw();
      update.done(); // the list stays on screen, and the question comes below it
      isPaused = true;
      clearInterval(timer);
      return () => {
        isPaused = false;
        timer = setInterval(draw, 80);
      };
    },
    end() {
      clearInterval(timer);
      draw();
      update.done();
    },
  };
}

function apply(row: Row, event: RunEvent): void {
  switch (event.type) {
    case 'step.started':
      row.begunAt ??= performance.now();
      if (event.attempt === 1) row.note = '';
      break;
    case 'step.kept':
      Object.assign(row, { sign: SIGN.succeeded, note: 'already done' });
      break;
    case 'step.restored':
      row.note = `${subjectOf(event.item.change)}: ${event.item.outcome}`;
      break;
    case 'step.asked':
      row.note = askedText(event);
      break;
    case 'step.log':
      if (event.level === 'info') row.note = event.text;
      break;
    case 'step.retrying':
      row.note = retryText(event);
      break;
    case 'step.ended':
      row.sign = SIGN[event.status];
      row.tookMs = performance.now() - (row.begunAt ?? performance.now());
      break;
  }
}
