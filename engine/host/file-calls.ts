/**
 * Calls of the file system, with the signatures of `node:fs/promises`. They are synchronous, because a run makes
 * hundreds of them, and a thread for each costs more than the call. Only a sync waits for the disk in a thread.
 */
import * as fs from 'node:fs';
import { promisify } from 'node:util';

/** An open file. The `FileHandle` of Node has these functions, too. */
export interface OpenFile {
  readonly fd: number;
  stat(): Promise<fs.Stats>;
  read(to: Buffer, offset: number, length: number, position: number | null): Promise<{ bytesRead: number }>;
  chmod(mode: number): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  writeFile(content: Buffer): Promise<void>;
  appendFile(content: Buffer): Promise<void>;
  truncate(lengthBytes?: number): Promise<void>;
  sync(): Promise<void>;
  /** Closing a closed file does nothing. */
  close(): Promise<void>;
}

const fsync = promisify(fs.fsync);
const CLOSED = -1;

export async function open(path: string, flags: string | number, mode?: number): Promise<OpenFile> {
  let fd = fs.openSync(path, flags, mode);
  return {
    get fd() {
      return fd;
    },
    stat: async () => fs.fstatSync(fd),
    read: async (to, offset, length, position) => ({ bytesRead: fs.readSync(fd, to, offset, length, position) }),
    chmod: async (mode) => fs.fchmodSync(fd, mode),
    chown: async (uid, gid) => fs.fchownSync(fd, uid, gid),
    writeFile: async (content) => fs.writeFileSync(fd, content),
    appendFile: async (content) => fs.appendFileSync(fd, content),
    truncate: async (lengthBytes) => fs.ftruncateSync(fd, lengthBytes),
    sync: () => fsync(fd),
    async close() {
      const closing = fd;
      fd = CLOSED; // the number may soon stand for another file
      if (closing !== CLOSED) fs.closeSync(closing);
    },
  };
}

export const lstat = async (path: string): Promise<fs.Stats> => fs.lstatSync(path);
export const readlink = async (path: string): Promise<string> => fs.readlinkSync(path);
export const readdir = async (path: string): Promise<string[]> => fs.readdirSync(path);
export const mkdir = async (path: string, options: { mode: number }): Promise<void> => fs.mkdirSync(path, options);
export const symlink = async (target: string, path: string): Promise<void> => fs.symlinkSync(target, path);
export const link = async (existing: string, path: string): Promise<void> => fs.linkSync(existing, path);
export const rename = async (from: string, to: string): Promise<void> => fs.renameSync(from, to);
export const unlink = async (path: string): Promise<void> => fs.unlinkSync(path);
export const rmdir = async (path: string): Promise<void> => fs.rmdirSync(path);
