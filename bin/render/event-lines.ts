/** The events of a run as text. */
import { durationText } from '../../engine/documents/durations.ts';
import { subjectOf } from '../../engine/host/changes/index.ts';
import type { RunEvent } from '../../engine/run/run.ts';
import { printable } from '../../engine/sdk/index.ts';
import type { HintText } from './continuation.ts';
import { counted, localTime, OUTCOME, SIGN, seconds } from './text.ts';

/** A view of the events of a run. */
export interface Progress {
  onEvent(event: RunEvent): void;
  /** Draws nothing until the returned function is called. */
  pause(): () => void;
  end(): void;
}

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** The line of an event; undefined for an event that has none. In a dry run, nothing waits. */
export function eventLine(event: RunEvent, hint: HintText): string | undefined {
  switch (event.type) {
    case 'run.stopping':
      return stoppingText(event);
    case 'step.kept':
      return `${SIGN[event.status]} ${event.step} (already done)`;
    case 'step.restored':
      return event.outcome === 'restored' ? noteLine(event, `${subjectOf(event.change)} restored`) : undefined;
    case 'step.asked':
      return `? ${event.step}: ${askedText(event, hint)}`;
    case 'step.log':
      return noteLine(event, `${event.level === 'warn' ? '! ' : ''}${event.text}`);
    case 'step.wait':
      return event.run === DRY_RUN ? undefined : noteLine(event, waitText(event));
    case 'step.retrying':
      return noteLine(event, retryText(event));
    case 'step.ended':
      return endText(event);
    default:
      return undefined;
  }
}

/** The ID of a run that changes nothing. */
export const DRY_RUN = 'dry-run';

const noteLine = (event: { step: string; assumed?: true }, text: string): string =>
  `  ${event.step}: ${assumedText(event, text)}`;

/** In a dry run, a text that rests on a stand-in says so. */
export const assumedText = ({ assumed }: { assumed?: true }, text: string): string =>
  `${assumed ? '(assumed) ' : ''}${text}`;

export const retryText = ({ attempt, pauseMs, error }: EventOf<'step.retrying'>): string =>
  `attempt ${attempt} failed: ${error.message}; retrying in ${seconds(pauseMs)}`;

/** The command stays whole, because it is there to be copied. */
const askedText = ({ run, step, message, until }: EventOf<'step.asked'>, hint: HintText): string =>
  `${message} (until ${localTime(until)}: ${hint(`join approve ${run} ${step}`)})`;

/** With the time that has passed, and the limit. */
export function waitText({ what, waitedMs, at, until }: EventOf<'step.wait'>): string {
  const limitMs = waitedMs + Date.parse(until) - Date.parse(at);
  const limit = durationText(Math.ceil(Math.max(1, limitMs) / 1000) * 1000);
  if (waitedMs === 0) return `waiting for ${what} (limit ${limit})`;
  return `still waiting for ${what} (${durationText(Math.round(waitedMs / 1000) * 1000)} of ${limit})`;
}

/** A signal that arrives again keeps the changes. */
export function stoppingText({ reason, next, changes: { made, undone, kept } }: EventOf<'run.stopping'>): string {
  const left = made - undone - kept;
  if (left === 0) return 'Stopping.';
  const [counted, them] = left === 1 ? ['1 change', 'it'] : [`${left} changes`, 'them'];
  if (next === 'keep') return `Stopping. ${counted} ${left === 1 ? 'is' : 'are'} kept.`;
  const again = reason.endsWith('SIGINT') ? 'Press Ctrl-C again' : 'Send the signal again';
  return `Stopping, then rolling back ${counted}. ${again} to stop and keep ${them}.`;
}

/** The result of a process, as counted by the journal. */
export const endedText = (event: EventOf<'run.ended'>): string =>
  printable(
    `${event.pipeline} ${event.status} ${OUTCOME[event.status]} ${seconds(event.durationMs)}: ${counted(event)}.`,
  );

/** A step that did not run has no duration. */
function endText(event: EventOf<'step.ended'>): string {
  const { step, status, attempts, durationMs } = event;
  const note = endNote(event);
  const duration = attempts === 0 ? '' : ` (${seconds(durationMs)})`;
  return `${SIGN[status]} ${step}${duration}${note === '' ? '' : `: ${note}`}`;
}

/** The error of a failure that the pipeline allows: the run continues, so only its result would report it. */
export const endNote = ({ status, error }: EventOf<'step.ended'>): string =>
  status === 'failed-allowed' && error !== undefined ? `${error.code}: ${error.message}` : '';
