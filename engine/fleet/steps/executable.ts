/** The executable of Joinery that machines get. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { reasonOf } from '../../limits/errno.ts';
import { fail } from '../../sdk/errors.ts';
import type { Architecture, CopiedFile } from '../transports/machine.ts';
import { EXECUTABLE } from '../transports/shell-machine.ts';

/** The field e_machine of an ELF file, and where it is. */
const ELF_MACHINES: Record<Architecture, number> = { x64: 0x3e, arm64: 0xb7 };
const ELF_MACHINE_AT = 18;
const HEADER_BYTES = 20;

export type Executables = (architecture: Architecture) => Promise<CopiedFile>;

/**
 * `file` is what the operator named. Otherwise the executable is the one for the architecture in `folder`, which holds
 * the files of a release.
 */
export function executablesIn(folder: string, version: string, file: string | undefined): Executables {
  const known = new Map<Architecture, Promise<CopiedFile>>();
  return (architecture) => {
    const source = file ?? join(folder, `joinery-${version}-linux-${architecture}`);
    const found = known.get(architecture) ?? executableAt(source, architecture);
    known.set(architecture, found);
    found.catch(() => known.delete(architecture)); // the operator may put it there
    return found;
  };
}

/** E_FLEET_EXECUTABLE. */
async function executableAt(source: string, architecture: Architecture): Promise<CopiedFile> {
  if (!existsSync(source)) throw fail('E_FLEET_EXECUTABLE', { architecture, what: `${source} does not exist` });
  try {
    const machine = await elfMachine(source);
    if (machine !== ELF_MACHINES[architecture])
      throw new Error(machine === undefined ? 'it is not an executable of Linux' : 'it is for another architecture');
    return { source, digest: await fileDigest(source), path: EXECUTABLE, mode: 0o755 };
  } catch (error) {
    throw fail('E_FLEET_EXECUTABLE', { architecture, what: `${source}: ${reasonOf(error)}` }, error);
  }
}

async function elfMachine(path: string): Promise<number | undefined> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const isElf = bytesRead === HEADER_BYTES && buffer.toString('latin1', 0, 4) === '\u007fELF';
    return isElf ? buffer.readUInt16LE(ELF_MACHINE_AT) : undefined;
  } finally {
    await handle.close();
  }
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
