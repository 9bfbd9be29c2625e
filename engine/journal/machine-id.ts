/** Identifies the machine that a run belongs to. A clone of a machine has the same journals, but is another machine. */
import { hostname } from 'node:os';
import type { MachineFiles } from '../host/files.ts';
import { defined } from '../sdk/fields.ts';

export interface MachineRecord {
  /** `host-name`: the machine has no /etc/machine-id. */
  source: 'machine-id' | 'host-name';
  id: string;
  /** Of the firmware. A clone often keeps its machine-id, but a hypervisor gives it another UUID. */
  productUuid?: string;
}

/** Where two machines differ. */
export interface MachineDifference {
  source: MachineRecord['source'] | 'product UUID';
  recorded: string;
  /** Empty if this machine has none. */
  found: string;
}

const MACHINE_ID = /^[0-9a-f]{32}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A machine-id that is not set yet, such as `uninitialized`, counts as none. */
export async function machineRecord(files: MachineFiles): Promise<MachineRecord> {
  const [machineId, productUuid] = await Promise.all([
    files.read('/etc/machine-id'),
    // A container, or a user who is not root, may not be able to read it.
    files.read('/sys/class/dmi/id/product_uuid').catch(() => undefined),
  ]);
  const id = textOf(machineId);
  const uuid = textOf(productUuid).toLowerCase();
  const record = MACHINE_ID.test(id) ? ({ source: 'machine-id', id } as const) : await hostNameRecord(files);
  return { ...record, ...defined({ productUuid: UUID.test(uuid) ? uuid : undefined }) };
}

/**
 * Undefined if `recorded` is this machine. A machine-id that was set since then is not compared, and neither is a
 * product UUID that only one of the two records has.
 */
export async function differenceFrom(
  recorded: MachineRecord,
  files: MachineFiles,
): Promise<MachineDifference | undefined> {
  const current = await machineRecord(files);
  const found = recorded.source === 'host-name' ? await hostNameRecord(files) : current;
  const foundId = found.source === recorded.source ? found.id : '';
  if (foundId !== recorded.id) return { source: recorded.source, recorded: recorded.id, found: foundId };
  if (recorded.productUuid === undefined || current.productUuid === undefined) return undefined;
  if (current.productUuid === recorded.productUuid) return undefined;
  return { source: 'product UUID', recorded: recorded.productUuid, found: current.productUuid };
}

async function hostNameRecord(files: MachineFiles): Promise<MachineRecord> {
  const name = textOf(await files.read('/etc/hostname'));
  return { source: 'host-name', id: (name || hostname()).toLowerCase() };
}

const textOf = (content: Buffer | undefined): string => content?.toString('utf8').trim() ?? '';
