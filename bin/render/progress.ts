/** Progress of a run, made from its events: a live list at a terminal, otherwise one line for each event. */
import { printable } from '../../engine/sdk/index.ts';
import { eventLine, type Progress } from './event-lines.ts';

export async function progress(stream: NodeJS.WriteStream): Promise<Progress> {
  if (!canRedraw(stream)) return plainLines(stream);
  const { liveList } = await import('./live-list.ts'); // late, because only a terminal needs it
  return liveList(stream);
}

/** Some terminals cannot move the cursor, and some report no size. */
const canRedraw = ({ isTTY, columns, rows }: NodeJS.WriteStream): boolean =>
  isTTY && columns > 0 && rows > 0 && process.env.CI === undefined && process.env.TERM !== 'dumb';

function plainLines(stream: NodeJS.WritableStream): Progress {
  return {
    onEvent(event) {
      const line = eventLine(event);
      if (line !== undefined) stream.write(`${printable(line)}\n`);
    },
    pause: () => () => undefined,
    end: () => undefined,
  };
}
