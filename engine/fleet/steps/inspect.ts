/** What is left to do on a machine. */
import { fail } from '../../sdk/errors.ts';
import { clean } from '../../sdk/text.ts';
import type { JoinTarget } from '../../tokens/tokens.ts';
import type { Inspection } from '../machine.ts';
import type { Diagnosis } from './diagnosis.ts';

const RUNNING = ['running', 'waiting'];
const UNFINISHED = ['interrupted', 'failed', 'cancelled', 'undoing'];

/** E_FLEET_OTHER_CLUSTER if the machine is a Node of another cluster. */
export function inspectionOf({ run, node }: Diagnosis, host: string, { pins }: JoinTarget): Inspection {
  if (run !== undefined && RUNNING.includes(run.status)) return { state: 'running', run: run.id };
  if (run !== undefined && UNFINISHED.includes(run.status)) return { state: 'unfinished', run: run.id };
  if (node === undefined) return { state: 'none' };
  if (!node.caPins.some((pin) => pins.includes(pin)))
    throw fail('E_FLEET_OTHER_CLUSTER', { host, node: clean(node.name), server: clean(node.server) });
  return { state: 'joined', ...(run?.status === 'succeeded' ? { run: run.id } : {}) };
}
