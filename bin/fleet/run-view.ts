/** The events of a run become what the page displays. Contents of files and outputs of steps stay here. */
import { changeText, type StepChange } from '../../engine/host/changes/index.ts';
import { printable, type RunEvent } from '../../engine/sdk/index.ts';
import { asItIs, type HintText } from '../render/continuation.ts';
import { retryText, stoppingText, waitText } from '../render/event-lines.ts';
import type { ErrorView, LineView, RunView, StepView } from './view.ts';

const LINES_MAX = 500;

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
type StepEvent = Extract<RunEvent, { step: string }>;

/** Undefined if the run has no events. */
export function runView(events: readonly RunEvent[], hint: HintText = asItIs): RunView | undefined {
  const [first] = events;
  if (first === undefined) return undefined;
  const { run, pipeline, machine, at: startedAt } = first;
  const view: RunView = { run, pipeline, machine, state: 'running', startedAt, steps: [], lines: [], omitted: 0 };
  let direction: 'run' | 'undo' = 'run';
  for (const event of events) {
    if (event.type === 'run.started') direction = event.direction;
    if ('step' in event) addStepEvent(stepOf(view, event.step), event, hint);
    else addRunEvent(view, event, direction, hint);
    const line = lineOf(event);
    if (line !== undefined) view.lines.push({ ...line, text: printable(line.text) });
  }
  view.omitted = Math.max(0, view.lines.length - LINES_MAX);
  view.lines = view.lines.slice(-LINES_MAX);
  return view;
}

/** A step that the first event of the run does not name is added: the log of a run may be incomplete. */
function stepOf(view: RunView, id: string): StepView {
  const found = view.steps.find((step) => step.id === id);
  if (found !== undefined) return found;
  const step: StepView = { id, state: 'waiting', attempts: 0, changes: [] };
  view.steps.push(step);
  return step;
}

function addRunEvent(
  view: RunView,
  event: EventOf<'run.started' | 'run.stopping' | 'run.ended'>,
  direction: 'run' | 'undo',
  hint: HintText,
): void {
  if (event.type === 'run.started') {
    for (const step of event.steps) stepOf(view, step);
    view.state = 'running';
    delete view.endedAt;
    delete view.error;
  } else if (event.type === 'run.ended') {
    view.state = direction === 'undo' && event.status === 'succeeded' ? 'undone' : event.status;
    view.endedAt = event.at;
    if (event.error !== undefined) view.error = errorView(event.error, hint);
  }
}

const errorView = ({ code, message, hint }: ErrorView, hintText: HintText): ErrorView => ({
  code,
  message: printable(message),
  hint: printable(hintText(hint)),
});

function addStepEvent(step: StepView, event: StepEvent, hint: HintText): void {
  switch (event.type) {
    case 'step.kept':
      step.state = event.status;
      break;
    case 'step.started':
      step.state = event.direction === 'undo' ? 'undoing' : 'running';
      if (event.direction === 'run') Object.assign(step, { startedAt: event.at, attempts: event.attempt });
      for (const field of ['endedAt', 'detail', 'error'] as const) delete step[field];
      break;
    case 'step.change':
      step.changes.push(printable(textOf(event.change)));
      break;
    case 'step.wait':
      step.detail = printable(waitText(event));
      break;
    case 'step.asked':
      step.state = 'asking';
      step.detail = printable(event.message);
      break;
    case 'step.answered':
      step.state = 'running';
      delete step.detail;
      break;
    case 'step.waited':
      delete step.detail;
      break;
    case 'step.ended':
      step.state = event.status;
      if (event.attempts > 0) step.endedAt = event.at;
      delete step.detail;
      if (event.error !== undefined) step.error = errorView(event.error, hint);
  }
}

/** A newer Joinery on the machine may have other kinds of changes. */
function textOf(change: { kind: string }): string {
  try {
    return changeText(change as StepChange);
  } catch {
    return change.kind;
  }
}

function lineOf(event: RunEvent): LineView | undefined {
  const { at } = event;
  const info = (text: string): LineView => ({ at, level: 'info', text, ...('step' in event && { step: event.step }) });
  switch (event.type) {
    case 'run.started':
      return info(startText(event));
    case 'run.stopping':
      return { ...info(stoppingText(event)), level: 'warn' };
    case 'run.ended':
      return event.error === undefined ? info(event.status) : { ...info(errorText(event.error)), level: 'error' };
    case 'step.kept':
      return info(`${event.status} before`);
    case 'step.started':
      return info(event.direction === 'undo' ? 'undo starts' : `attempt ${event.attempt} starts`);
    case 'step.log':
      return { ...info(event.text), level: event.level };
    case 'step.change':
      return info(textOf(event.change));
    case 'step.wait':
      return info(waitText(event));
    case 'step.asked':
      return { ...info(`waits for an approval: ${event.message}`), level: 'warn' };
    case 'step.answered':
      return info(`${event.decision} by ${event.by} (${event.via})${event.reason === '' ? '' : `: ${event.reason}`}`);
    case 'step.retrying':
      return { ...info(retryText(event)), level: 'warn' };
    case 'step.restored':
      return restoredLine(info, event);
    case 'step.ended':
      return event.error === undefined ? info(event.status) : { ...info(errorText(event.error)), level: 'error' };
    default:
      return undefined;
  }
}

function startText({ direction, resumed, machine }: EventOf<'run.started'>): string {
  if (direction === 'undo') return `undo starts on ${machine}`;
  return `${resumed ? 'run is resumed' : 'run starts'} on ${machine}`;
}

const errorText = ({ code, message }: ErrorView): string => `${code}: ${message}`;

function restoredLine(info: (text: string) => LineView, event: EventOf<'step.restored'>): LineView {
  const line = info(`${event.outcome}: ${textOf(event.change)}${event.why === undefined ? '' : ` (${event.why})`}`);
  return event.outcome === 'restored' ? line : { ...line, level: 'warn' };
}
