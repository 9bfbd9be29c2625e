/** Progress of a run, made from its events: a live list at a terminal, otherwise one line for each event. */
import { printable } from '../../engine/sdk/index.ts';
import { coloured } from './colour.ts';
import type { HintText } from './continuation.ts';
import { DRY_RUN, eventLine, type Progress } from './event-lines.ts';

export interface ProgressOptions {
  /** A command as the user would type it. */
  hint: HintText;
}

export async function progress(stream: NodeJS.WriteStream, { hint }: ProgressOptions): Promise<Progress> {
  if (!canRedraw(stream)) return withoutRepeats(plainLines(stream, hint));
  const { liveList } = await import('./live-list.ts'); // late, because only a terminal needs it
  return withoutRepeats(liveList(stream, hint));
}

/**
 * Shows a warning of a step once, although each attempt may repeat it, until the step has changed something: the
 * request that has to be approved may be a new one. The result of a dry run lists its warnings.
 */
function withoutRepeats(view: Progress): Progress {
  const seen = new Map<string, Set<string>>();
  return {
    ...view,
    onEvent(event) {
      if (event.type === 'step.change') seen.delete(event.step);
      if (event.type === 'step.log' && event.level === 'warn') {
        const warnings = seen.get(event.step) ?? new Set();
        if (event.run === DRY_RUN || warnings.has(event.text)) return;
        seen.set(event.step, warnings.add(event.text));
      }
      view.onEvent(event);
    },
  };
}

/** Some terminals cannot move the cursor, and some report no size. */
const canRedraw = ({ isTTY, columns, rows }: NodeJS.WriteStream): boolean =>
  isTTY && columns > 0 && rows > 0 && process.env.CI === undefined && process.env.TERM !== 'dumb';

function plainLines(stream: NodeJS.WriteStream, hint: HintText): Progress {
  return {
    onEvent(event) {
      const line = eventLine(event, hint);
      if (line !== undefined) stream.write(`${coloured(printable(line), stream)}\n`);
    },
    pause: () => () => undefined,
    end: () => undefined,
  };
}
