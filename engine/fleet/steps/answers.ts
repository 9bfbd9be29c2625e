/** What Joinery's command prints on a machine. A machine may print anything, so everything is checked. */
import { parseJson } from '../../documents/json.ts';
import type { RunEvent } from '../../run/run.ts';
import { fail, JoinError } from '../../sdk/errors.ts';
import type { CommandResult } from '../../sdk/ports.ts';
import { clean } from '../../sdk/text.ts';

/** What a later attempt on the machine may settle. */
const TRANSIENT = ['E_API_UNAVAILABLE', 'E_API_UNREACHABLE', 'E_STEP_TIME_LIMIT', 'E_RUN_LOCKED', 'E_RUN_INTERRUPTED'];

/** An event; undefined if the line is none. */
export function eventIn(line: string): RunEvent | undefined {
  const event = objectIn(line);
  const isEvent = event?.kind === 'Event' && Number.isSafeInteger(event.seq) && typeof event.type === 'string';
  return isEvent && typeof event.run === 'string' ? (event as unknown as RunEvent) : undefined;
}

/** The document of this kind that the command prints. E_FLEET_MACHINE, or the error that it reports. */
export function documentOf(kind: string, answer: CommandResult, { host, command }: Asked): Record<string, unknown> {
  const document = objectIn(answer.stdout);
  if (document?.kind === kind) return document;
  throw failed(answer, { host, command });
}

export interface Asked {
  host: string;
  /** The command, such as `doctor`. */
  command: string;
}

/** The error that a command has ended with. */
export function failed({ exitCode, stdout, stderr }: CommandResult, { host, command }: Asked): JoinError {
  const lines = stdout.split('\n').map((line) => objectIn(line)?.error);
  const reported = errorIn(lines.findLast((error) => error !== undefined) ?? objectIn(stdout)?.error);
  if (reported !== undefined) return reported;
  const what = clean(stderr) || `exit code ${exitCode}`;
  return fail('E_FLEET_MACHINE', { host, command, what });
}

/** The error of an event or of a document; undefined if it is none. */
export function errorIn(error: unknown): JoinError | undefined {
  const { code, message, hint, exitCode } = (error ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || !/^E_[A-Z0-9_]+$/.test(code) || typeof message !== 'string') return undefined;
  return JoinError.own({
    code: code as `E_${string}`,
    message: clean(message),
    hint: clean(typeof hint === 'string' ? hint : ''),
    transient: TRANSIENT.includes(code),
    ...(typeof exitCode === 'number' ? { exitCode } : {}),
  });
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = parseJson(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
