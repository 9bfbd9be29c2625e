/**
 * The folder of the operator's connections: sockets that OpenSSH shares, and a configuration that comes before the
 * user's. Jump hosts read it, too.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** OpenSSH adds a random end to the path of a socket, and a socket's path has at most 107 bytes. */
const FOLDER_LENGTH_MAX = 48;

export interface SshFolder {
  /** For `ssh -F`. `userConfig` is read in place of the user's file. */
  configFile(userConfig: string | undefined): Promise<string>;
  /** The sockets of open connections. */
  sockets(): Promise<string[]>;
  remove(): Promise<void>;
}

export async function createSshFolder(): Promise<SshFolder> {
  const parent = tmpdir().length > FOLDER_LENGTH_MAX ? '/tmp' : tmpdir();
  const folder = await mkdtemp(join(parent, 'joinery-ssh-')); // mode 0700
  const files = new Map<string, Promise<string>>();
  const write = async (userConfig: string, number: number) => {
    const file = join(folder, `config-${number}`);
    await writeFile(file, configText(folder, userConfig), { mode: 0o600, flag: 'wx' });
    return file;
  };
  return {
    configFile(userConfig = '~/.ssh/config') {
      const file = files.get(userConfig) ?? write(userConfig, files.size);
      files.set(userConfig, file);
      return file;
    },
    sockets: async () =>
      (await readdir(folder)).filter((name) => !name.startsWith('config-')).map((name) => join(folder, name)),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** OpenSSH uses the first value of each setting, so the user's files cannot change these. */
const configText = (folder: string, userConfig: string): string => `Host *
  BatchMode yes
  StrictHostKeyChecking yes
  ConnectTimeout 10
  ServerAliveInterval 5
  ServerAliveCountMax 3
  ControlMaster auto
  ControlPath "${folder}/%C"
  ControlPersist 60
  ClearAllForwardings yes
  ForwardAgent no
  ForwardX11 no
  LogLevel ERROR
  PermitLocalCommand no
  RemoteCommand none
  RequestTTY no
Include "${userConfig}"
Include /etc/ssh/ssh_config
`;
