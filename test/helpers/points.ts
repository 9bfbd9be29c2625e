/** Every point where a run can stop: around each call of its host, and around each call that changes the disk. */
import type { FileHandle } from 'node:fs/promises';
import * as fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyChange, type Change } from '../../engine/host/changes/index.ts';
import { type Disk, realDisk } from '../../engine/host/disk.ts';
import type { MachineFiles } from '../../engine/host/files.ts';
import type { Host, Wait } from '../../engine/host/host.ts';
import { machineAt } from '../../engine/host/machine.ts';
import type { Query } from '../../engine/host/query.ts';
import type { ApiRequest } from '../../engine/sdk/api.ts';

/** Awaited at each point. A promise that never settles stands for a process that has died. */
export type AtPoint = (where: string) => void | Promise<void>;

const CHANGING = new Set(['mkdir', 'chmod', 'chown', 'symlink', 'rename', 'unlink', 'rmdir', 'sync', 'truncate']);
const WRITING = new Set(['writeFile', 'appendFile']);
/** How far a call is when the process stops. */
const AMID_MS = 2;

type Call = (...args: unknown[]) => Promise<unknown>;

/** A write also stops in the middle, so that half a record is on the disk. */
export function diskWithPoints(at: AtPoint, disk: Disk = realDisk): Disk {
  const before = async (where: string, act: () => Promise<unknown>) => {
    await at(`before ${where}`);
    return act();
  };
  const handleAt = (path: string, handle: FileHandle): FileHandle =>
    watched(handle, (name, call) => {
      if (WRITING.has(name)) return (bytes) => before(`${name} ${path}`, () => inHalves(call, bytes as Buffer, path));
      return CHANGING.has(name) ? (...args) => before(`${name} ${path}`, () => call(...args)) : call;
    });
  const inHalves = async (call: Call, bytes: Buffer, path: string) => {
    const middle = bytes.length >> 1;
    await call(bytes.subarray(0, middle));
    await at(`amid writing ${path}`);
    await call(bytes.subarray(middle));
  };
  return watched(disk, (name, call) => {
    if (name === 'open')
      return async (...args) => {
        const [path, flags] = args as [string, string | number];
        const isMaking = flags === 'wx' || (typeof flags === 'number' && (flags & fs.constants.O_CREAT) !== 0);
        const open = () => call(...args);
        return handleAt(path, (await (isMaking ? before(`open ${path}`, open) : open())) as FileHandle);
      };
    return CHANGING.has(name) ? (...args) => before(`${name} ${args[0]}`, () => call(...args)) : call;
  });
}

/** `target` with replaced functions. */
function watched<T extends object>(target: T, exchange: (name: string, call: Call) => Call): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? exchange(String(name), value.bind(target) as Call) : value;
    },
  });
}

/** Files are changed through `files`, whose disk may have its own points. */
export function hostWithPoints(host: Host, files: MachineFiles, at: AtPoint, amidMs = AMID_MS): Host {
  const around = async <T>(where: string, isLong: boolean, act: () => Promise<T>): Promise<T> => {
    await at(`before ${where}`);
    const result = act();
    if (isLong) {
      result.catch(() => undefined); // the caller may be gone
      if (amidMs > 0) await sleep(amidMs);
      await at(`amid ${where}`);
    }
    const settled = await result;
    await at(`after ${where}`);
    return settled;
  };
  const machine = { ...machineAt('/'), files };
  const apply = (change: Change, signal: AbortSignal): Promise<void> => {
    const isOfFiles = 'path' in change && change.kind !== 'unmount';
    return isOfFiles ? applyChange(change, machine, signal) : host.apply(change, signal);
  };
  return {
    facts: host.facts,
    access: host.access,
    now: () => host.now(),
    read: <K extends Query['kind']>(query: Extract<Query, { kind: K }>, signal: AbortSignal) =>
      around(`read ${subjectOf(query)}`, false, () => host.read<K>(query, signal)),
    apply: (change, signal) =>
      around(`apply ${subjectOf(change)}`, change.kind === 'service', () => apply(change, signal)),
    send: (request, signal) => around(`send ${subjectOf(request)}`, true, () => host.send(request, signal)),
    wait: (condition, signal) => around(`wait ${subjectOf(condition)}`, true, () => host.wait(condition, signal)),
  };
}

function subjectOf(call: Query | Change | ApiRequest | Wait): string {
  if ('method' in call) return `${call.method} ${call.path}`;
  const { kind, path, name, argv, ref, action } = call as unknown as Record<string, unknown>;
  return [kind, action, path ?? name ?? argv ?? (ref as { name?: string } | undefined)?.name].filter(Boolean).join(' ');
}
