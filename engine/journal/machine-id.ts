/** Identifies the machine that a run belongs to. A clone of a machine has the same journals, but is another machine. */
import { hostname } from 'node:os';
import type { MachineFiles } from '../host/files.ts';

export interface MachineRecord {
  /** `host-name`: the machine has no /etc/machine-id. */
  source: 'machine-id' | 'host-name';
  id: string;
}

const MACHINE_ID = /^[0-9a-f]{32}$/;

/** A machine-id that is not set yet, such as `uninitialized`, counts as none. */
export async function machineRecord(files: MachineFiles): Promise<MachineRecord> {
  const id = (await files.read('/etc/machine-id'))?.toString('utf8').trim() ?? '';
  return MACHINE_ID.test(id) ? { source: 'machine-id', id } : hostNameRecord(files);
}

/** The identity of this machine, of the kind that was recorded. A machine may have got its machine-id since then. */
export async function sameKindOf({ source }: MachineRecord, files: MachineFiles): Promise<MachineRecord> {
  return source === 'machine-id' ? machineRecord(files) : hostNameRecord(files);
}

async function hostNameRecord(files: MachineFiles): Promise<MachineRecord> {
  const id = (await files.read('/etc/hostname'))?.toString('utf8') ?? hostname();
  return { source: 'host-name', id: id.trim().toLowerCase() };
}
