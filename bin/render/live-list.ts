/** The steps of a run as a list that is drawn again and again. */
import { createLogUpdate } from 'log-update';
import sliceAnsi from 'slice-ansi';
import { subjectOf } from '../../engine/host/changes/index.ts';
import type { RunEvent } from '../../engine/run/run.ts';
import { printable } from '../../engine/sdk/index.ts';
import { coloured } from './colour.ts';
import type { HintText } from './continuation.ts';
import { assumedText, DRY_RUN, endNote, eventLine, type Progress, retryText, waitText } from './event-lines.ts';
import { SIGN, seconds } from './text.ts';

const SPINNER = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'];
const FRAME_MS = 80;

interface Row {
  sign: string;
  begunAt: number | undefined;
  tookMs: number | undefined;
  note: string;
}

export function liveList(stream: NodeJS.WriteStream, hint: HintText): Progress {
  const update = createLogUpdate(stream);
  const rows = new Map<string, Row>();
  let isPaused = false;
  const linesNow = () => {
    const width = Math.max(0, ...[...rows.keys()].map((id) => id.length));
    const spin = SPINNER[Math.floor(performance.now() / FRAME_MS) % SPINNER.length] ?? '';
    return [...rows].map(([id, { sign, begunAt, tookMs, note }]) => {
      const running = begunAt !== undefined && tookMs === undefined;
      const time = begunAt === undefined ? '' : seconds(tookMs ?? Math.max(0, Date.now() - begunAt));
      return printable(`${running ? spin : sign} ${id.padEnd(width)} ${time.padStart(7)}  ${note}`);
    });
  };
  const draw = () => {
    if (isPaused) return;
    // A wrapped line would break the redraw.
    const lines = linesNow().map((line) => shortened(line, stream.columns - 1));
    update(coloured(lines.join('\n'), stream));
  };
  const rowOf = (id: string): Row => {
    const row = rows.get(id) ?? { sign: '·', begunAt: undefined, tookMs: undefined, note: '' };
    rows.set(id, row);
    return row;
  };
  let timer = setInterval(draw, FRAME_MS);
  return {
    onEvent(event) {
      if (event.type === 'run.started') for (const id of event.steps) rowOf(id);
      if (staysAbove(event)) {
        update.clear();
        stream.write(`${coloured(printable(eventLine(event, hint)?.trimStart() ?? ''), stream)}\n`);
      }
      if ('step' in event) apply(rowOf(event.step), event);
      draw();
    },
    pause() {
      draw();
      update.done(); // the list stays on screen, and the question comes below it
      isPaused = true;
      clearInterval(timer);
      return () => {
        isPaused = false;
        timer = setInterval(draw, FRAME_MS);
      };
    },
    end() {
      clearInterval(timer);
      update.clear();
      stream.write(`${coloured(linesNow().join('\n'), stream)}\n`); // whole, because it is not redrawn
      update.done();
    },
  };
}

/** At most `width` columns wide; an ellipsis stands for what is cut. */
function shortened(line: string, width: number): string {
  const start = sliceAnsi(line, 0, width);
  return start === line ? line : `${sliceAnsi(line, 0, width - 1)}…`;
}

/** Such a line stays above the list in full, because it may contain a command to copy. */
const staysAbove = (event: RunEvent): boolean =>
  event.type === 'run.stopping' || event.type === 'step.asked' || (event.type === 'step.log' && event.level === 'warn');

function apply(row: Row, event: RunEvent): void {
  switch (event.type) {
    case 'step.started':
      row.begunAt ??= Date.parse(event.at);
      if (event.attempt === 1) row.note = '';
      break;
    case 'step.kept':
      Object.assign(row, { sign: SIGN[event.status], note: 'already done' });
      break;
    case 'step.restored':
      row.note = `${subjectOf(event.change)}: ${event.outcome}`;
      break;
    case 'step.asked':
      row.note = event.message; // the command to answer it is above the list
      break;
    case 'step.wait':
      if (event.run !== DRY_RUN) row.note = waitText(event);
      break;
    case 'step.waited':
      row.note = '';
      break;
    case 'step.log':
      if (event.level === 'info') row.note = assumedText(event, event.text);
      break;
    case 'step.retrying':
      row.note = retryText(event);
      break;
    case 'step.ended':
      row.sign = SIGN[event.status];
      if (event.attempts > 0) row.tookMs = event.durationMs;
      row.note = endNote(event) || row.note;
      break;
  }
}
