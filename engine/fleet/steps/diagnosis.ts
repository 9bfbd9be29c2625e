/** What the machine says of itself: `join doctor -o json`. */
import type { Machine } from '../transports/machine.ts';
import { documentOf } from './answers.ts';

const TIME_MS = 90_000;

export interface Diagnosis {
  /** The run in progress, or else the newest one. */
  run?: { id: string; status: string };
  /** The Node whose certificate the machine has. */
  node?: { name: string; server: string; caPins: string[]; uid?: string };
}

/** E_FLEET_MACHINE, and the errors of the transport. */
export async function diagnose(machine: Machine, host: string, signal: AbortSignal): Promise<Diagnosis> {
  const answer = await machine.join(['doctor', '-o', 'json'], { timeMs: TIME_MS, signal });
  const { run, node } = documentOf('Diagnosis', answer, { host, command: 'doctor' });
  return { ...(isRun(run) ? { run } : {}), ...(isNode(node) ? { node } : {}) };
}

function isRun(value: unknown): value is NonNullable<Diagnosis['run']> {
  const { id, status } = (value ?? {}) as Record<string, unknown>;
  return typeof id === 'string' && /^[\w-]{1,40}$/.test(id) && typeof status === 'string';
}

function isNode(value: unknown): value is NonNullable<Diagnosis['node']> {
  const { name, server, caPins, uid } = (value ?? {}) as Record<string, unknown>;
  const isNamed = typeof name === 'string' && typeof server === 'string';
  const isText = (text: unknown) => typeof text === 'string';
  return isNamed && Array.isArray(caPins) && caPins.every(isText) && (uid === undefined || isText(uid));
}
