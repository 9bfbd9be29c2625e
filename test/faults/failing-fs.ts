/** `node:fs/promises` whose calls fail where a test says so, with the errno that a kernel would give. */
import { constants, readlinkSync } from 'node:fs';
import type * as fs from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

export interface DiskFault {
  /** What `path` is below. */
  root: string;
  /** The file that fails, or the temporary one it is made from. */
  path: string | RegExp;
  call: 'open' | 'write' | 'sync' | 'close' | 'chmod' | 'rename' | 'mkdir' | 'symlink' | 'rm' | 'read' | 'readdir';
  errno: string;
  /** How often the call fails. Default: always. */
  times?: number;
  onTriggered?: () => void;
}

let faults: DiskFault[] = [];
const opened: { path: string; mode: number }[] = [];

export const failOnDisk = (fault: DiskFault): void => void faults.push(fault);
export const repairDisk = (root: string): void => {
  faults = faults.filter((fault) => fault.root !== root);
};
/** The files below `root` to which a key was written, each with its mode just before that. */
export const keyFiles = (root: string): { path: string; mode: number }[] =>
  opened.filter(({ path }) => path.startsWith(root));

const KEY = 'PRIVATE KEY-----';
const WRITES = constants.O_WRONLY | constants.O_RDWR;

/** `/proc/self/fd/7/name` is a name in an open directory: the path on the machine. */
const onMachine = (path: unknown): string =>
  String(path).replace(/^\/proc\/self\/fd\/\d+/, (descriptor) => readlinkSync(descriptor));

function met(call: DiskFault['call'], path: unknown): void {
  const at = onMachine(path).replace(/\.([^/]+)\.joinery\.tmp$/, '$1');
  const fault = faults.find(
    (one) =>
      one.call === call &&
      (one.times ?? 1) > 0 &&
      at.startsWith(one.root) &&
      (typeof one.path === 'string' ? at === one.root + one.path : one.path.test(at.slice(one.root.length))),
  );
  if (fault === undefined) return;
  if (fault.times !== undefined) fault.times -= 1;
  fault.onTriggered?.();
  throw Object.assign(new Error(`${fault.errno}: injected, ${call} '${path}'`), { code: fault.errno, syscall: call });
}

export function failing(real: typeof fs): typeof fs {
  const wrap =
    <A extends unknown[], R>(call: DiskFault['call'], act: (...args: A) => Promise<R>, which = 0) =>
    async (...args: A): Promise<R> => {
      met(call, args[which]);
      return act(...args);
    };
  const open = async (path: string, flags?: string | number, mode?: number): Promise<FileHandle> => {
    const writes = typeof flags === 'number' ? (flags & WRITES) !== 0 : flags !== undefined && flags !== 'r';
    met(writes ? 'open' : 'read', path);
    return handleOf(await real.open(path, flags, mode), path);
  };
  const mocked = {
    open,
    rename: wrap('rename', real.rename, 1),
    mkdir: wrap('mkdir', real.mkdir as (...args: unknown[]) => Promise<unknown>),
    chmod: wrap('chmod', real.chmod),
    symlink: wrap('symlink', real.symlink, 1),
    rm: wrap('rm', real.rm),
    rmdir: wrap('rm', real.rmdir),
    unlink: wrap('rm', real.unlink),
    readdir: wrap('readdir', real.readdir as (...args: unknown[]) => Promise<unknown>),
  };
  return { ...real, ...mocked, default: { ...real, ...mocked } } as unknown as typeof fs;
}

function handleOf(handle: FileHandle, path: string): FileHandle {
  const wrapped: Partial<Record<keyof FileHandle, (...args: never[]) => Promise<unknown>>> = {
    async writeFile(content: string | Buffer) {
      if (content.includes(KEY)) opened.push({ path: onMachine(path), mode: (await handle.stat()).mode });
      try {
        met('write', path);
      } catch (error) {
        await handle.writeFile(content.slice(0, content.length / 2)); // a disk fills up in the middle
        throw error;
      }
      return handle.writeFile(content);
    },
    async sync() {
      met('sync', path);
      return handle.sync();
    },
    async chmod(mode: number) {
      met('chmod', path);
      return handle.chmod(mode);
    },
    async close() {
      await handle.close();
      met('close', path);
    },
  };
  return new Proxy(handle, {
    get(target, name) {
      const own = wrapped[name as keyof FileHandle];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
