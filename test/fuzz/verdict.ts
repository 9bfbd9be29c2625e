/** One input through one target: what may come of it, and what is a finding. */
import { EXIT, errorCodes, isJoinError } from '../../engine/sdk/index.ts';
import type { Target } from './target.ts';

export const TIME_MS_MAX = 1_000;
export const MEMORY_BYTES_MAX = 256 << 20;
const MESSAGE_CHARACTERS_MAX = 1_000;

/** Why this is a finding, in words; undefined where all is well. */
export async function verdictOn(target: Target, bytes: Buffer): Promise<string | undefined> {
  const first = await measured(target, bytes);
  if (first.wrong !== undefined) return first.wrong;
  if (first.grownBytes > MEMORY_BYTES_MAX) return `took ${first.grownBytes >> 20} MiB of memory`;
  if (first.tookMs <= TIME_MS_MAX) return undefined;
  const { tookMs } = await measured(target, bytes); // the first of its kind is also compiled
  return tookMs > TIME_MS_MAX ? `took ${Math.round(tookMs)} ms` : undefined;
}

async function measured(target: Target, bytes: Buffer) {
  const [rssBytes, peakBytes] = [process.memoryUsage.rss(), peakRssBytes()];
  const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
  const wrong = await wrongWith(target, bytes);
  const cpu = process.cpuUsage(startCpu);
  // On a busy machine the clock runs on; the collector's threads run beside.
  const tookMs = Math.min(performance.now() - startMs, (cpu.user + cpu.system) / 1_000);
  // The peak tells of what is free again, but begins at that of whoever started this process; so both are asked.
  const mostBytes = Math.max(process.memoryUsage.rss(), peakRssBytes() > peakBytes ? peakRssBytes() : 0);
  return { wrong, tookMs, grownBytes: mostBytes - rssBytes };
}

const peakRssBytes = (): number => process.resourceUsage().maxRSS * 1024;

async function wrongWith({ run, throwsErrors = false }: Target, bytes: Buffer): Promise<string | undefined> {
  try {
    const ending = run(bytes);
    if (ending instanceof Promise) {
      await ending;
      await new Promise(setImmediate); // a rejection that nobody handles ends the process here, and not at a later input
    }
  } catch (error) {
    const wrong = wrongWithError(error, throwsErrors);
    if (wrong !== undefined) return `${wrong}\n${error instanceof Error ? error.stack : String(error)}`;
  }
  const added = Reflect.ownKeys(Object.prototype).filter((key) => !PROTOTYPE_KEYS.has(key));
  for (const key of added) Reflect.deleteProperty(Object.prototype, key); // or every later input would be blamed for it
  return added.length === 0 ? undefined : `changed Object.prototype: ${added.map(String).join(', ')}`;
}

const PROTOTYPE_KEYS = new Set(Reflect.ownKeys(Object.prototype));

function wrongWithError(error: unknown, throwsErrors: boolean): string | undefined {
  if (isJoinError(error)) {
    if (!errorCodes.some((code) => code === error.code)) return 'threw an error that is not in the catalogue';
    if (error.exitCode === EXIT.bug) return 'threw an error that calls itself a bug';
    // Line feeds part the problems of a list; all else would reach the terminal.
    return /[^\n\P{Cc}]/u.test(error.message) ? 'shows control characters' : undefined;
  }
  if (!(error instanceof Error) || Object.getPrototypeOf(error) !== Error.prototype) return 'threw a stranger';
  if (!throwsErrors) return 'threw an Error that nobody turned into a JoinError';
  return /^\P{Cc}+$/u.test(error.message) && error.message.length <= MESSAGE_CHARACTERS_MAX
    ? undefined
    : 'threw an Error whose message is not one short line';
}
