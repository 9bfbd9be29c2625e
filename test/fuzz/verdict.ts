/** Runs one target with one input, and decides whether the result is a finding. */
import { EXIT, errorCodes, isJoinError } from '../../engine/sdk/index.ts';
import type { Target } from './target.ts';

export const TIME_MS_MAX = 1_000;
export const MEMORY_BYTES_MAX = 256 << 20;
const MESSAGE_CHARACTERS_MAX = 1_000;

/** Why the result is a finding; undefined if it is not. */
export async function verdictOn(target: Target, bytes: Buffer): Promise<string | undefined> {
  const first = await measured(target, bytes);
  if (first.wrong !== undefined) return first.wrong;
  if (first.grownBytes > MEMORY_BYTES_MAX) return `took ${first.grownBytes >> 20} MiB of memory`;
  if (first.tookMs <= TIME_MS_MAX) return undefined;
  const { tookMs } = await measured(target, bytes); // the first run includes compilation
  return tookMs > TIME_MS_MAX ? `took ${Math.round(tookMs)} ms` : undefined;
}

async function measured(target: Target, bytes: Buffer) {
  const [rssBytes, peakBytes] = [process.memoryUsage.rss(), peakRssBytes()];
  const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
  const wrong = await wrongWith(target, bytes);
  const cpu = process.cpuUsage(startCpu);
  // On a busy machine the wall clock is too high; with the collector's threads, the processor time is.
  const tookMs = Math.min(performance.now() - startMs, (cpu.user + cpu.system) / 1_000);
  // The peak includes memory that is free again, but starts at the peak of the parent process. So both count.
  const mostBytes = Math.max(process.memoryUsage.rss(), peakRssBytes() > peakBytes ? peakRssBytes() : 0);
  return { wrong, tookMs, grownBytes: mostBytes - rssBytes };
}

const peakRssBytes = (): number => process.resourceUsage().maxRSS * 1024;

async function wrongWith({ run, throwsErrors = false }: Target, bytes: Buffer): Promise<string | undefined> {
  try {
    const ending = run(bytes);
    if (ending instanceof Promise) {
      await ending;
      await new Promise(setImmediate); // an unhandled rejection ends the process now
    }
  } catch (error) {
    const wrong = wrongWithError(error, throwsErrors);
    if (wrong !== undefined) return `${wrong}\n${error instanceof Error ? error.stack : String(error)}`;
  }
  const added = Reflect.ownKeys(Object.prototype).filter((key) => !PROTOTYPE_KEYS.has(key));
  for (const key of added) Reflect.deleteProperty(Object.prototype, key); // later inputs must not be blamed for it
  return added.length === 0 ? undefined : `changed Object.prototype: ${added.map(String).join(', ')}`;
}

const PROTOTYPE_KEYS = new Set(Reflect.ownKeys(Object.prototype));

function wrongWithError(error: unknown, throwsErrors: boolean): string | undefined {
  if (isJoinError(error)) {
    if (!errorCodes.some((code) => code === error.code)) return 'threw an error that is not in the catalogue';
    if (error.exitCode === EXIT.bug) return 'threw an error that calls itself a bug';
    // Line feeds separate the problems of a list. All other control characters would reach the terminal.
    return /[^\n\P{Cc}]/u.test(error.message) ? 'shows control characters' : undefined;
  }
  if (!(error instanceof Error) || Object.getPrototypeOf(error) !== Error.prototype) return 'threw an unexpected value';
  if (!throwsErrors) return 'threw an Error instead of a JoinError';
  return /^\P{Cc}+$/u.test(error.message) && error.message.length <= MESSAGE_CHARACTERS_MAX
    ? undefined
    : 'threw an Error whose message is not one short line';
}
