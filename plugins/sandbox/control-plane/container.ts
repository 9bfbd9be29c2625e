/** What a stand-in for the program of a container sees: its arguments, and the files that its Pod mounts. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, fitsKey, isIssuedBy, readCertificates } from '../../../engine/pki/index.ts';
import type { KeyPair } from '../certificates.ts';
import { machinePath } from '../machine/machine-path.ts';

/** A hostPath volume where the container sees it. */
export interface Mount {
  hostPath: string;
  mountPath: string;
}

/** A program that runs. */
export interface Running {
  stop(): Promise<void>;
}

export class Container {
  readonly #root: string;
  readonly #mounts: readonly Mount[];
  readonly #flags: ReadonlyMap<string, string>;

  /** `root` is that of the machine. The first word of the command is the program. */
  constructor(root: string, mounts: readonly Mount[], command: readonly string[]) {
    this.#root = root;
    this.#mounts = mounts;
    this.#flags = new Map(command.slice(1).map(flagOf));
  }

  /** Throws if the argument is missing. */
  flag(name: string): string {
    const value = this.#flags.get(name);
    if (value === undefined || value === '') throw new Error(`--${name} must be specified`);
    return value;
  }

  optionalFlag(name: string): string | undefined {
    return this.#flags.get(name);
  }

  /** The file that an argument names. */
  async file(name: string): Promise<string> {
    const path = this.flag(name);
    try {
      return await readFile(await this.#place(path), 'utf8');
    } catch {
      throw new Error(`--${name}: open ${path}: no such file or directory`);
    }
  }

  /** Creates a directory below the one that an argument names, and returns its path on this computer. */
  async directory(name: string, below: string): Promise<string> {
    const path = await this.#place(`${this.flag(name)}/${below}`);
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  /** A certificate and its key, which are valid now and signed by that CA. */
  async keyPair(certificateFlag: string, keyFlag: string, ca: string): Promise<KeyPair & { certificate: Certificate }> {
    const [cert, key] = [await this.file(certificateFlag), await this.file(keyFlag)];
    const [certificate] = readCertificates(cert);
    const now = new Date();
    if (certificate === undefined || !fitsKey(certificate, key))
      throw new Error(`tls: private key does not match public key (--${certificateFlag}, --${keyFlag})`);
    if (now < certificate.notBefore || now > certificate.notAfter)
      throw new Error(`x509: certificate has expired or is not yet valid (--${certificateFlag})`);
    if (!isIssuedBy(certificate, ca))
      throw new Error(`x509: certificate signed by unknown authority (--${certificateFlag})`);
    return { cert, key, certificate };
  }

  /** The container has no files but those of its mounts. */
  async #place(path: string): Promise<string> {
    const isWithin = ({ mountPath }: Mount) => path === mountPath || path.startsWith(`${mountPath}/`);
    const mount = this.#mounts.find(isWithin);
    if (mount === undefined) throw new Error(`the Pod does not mount ${path}`);
    return machinePath(this.#root, join(mount.hostPath, path.slice(mount.mountPath.length)));
  }
}

function flagOf(word: string): [name: string, value: string] {
  const [, name, value] = /^--([a-z][a-z0-9-]*)=(.*)$/s.exec(word) ?? [];
  if (name === undefined || value === undefined) throw new Error(`unknown argument: ${word}`);
  return [name, value];
}

/** Throws unless the certificate is for that address. */
export function assertFor({ x509 }: Certificate, address: string): void {
  if (x509.checkIP(address) === undefined) throw new Error(`x509: certificate is not valid for ${address}`);
}
