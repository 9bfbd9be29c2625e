/** A real sshd in a mount namespace of its own, with users, a sudoers file and a folder /opt of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from '../helpers/endings.ts';

/** May run every command by sudo. */
export const ADMIN = 'fleet-admin';
/** May not. */
export const GUEST = 'fleet-guest';

export interface Sshd {
  port: number;
  /** A file of the operator: the key that the users accept, and the known host. It tries to skip the check. */
  configFile: string;
  knownHosts: string;
  /** `ssh-ed25519 SHA256:…` */
  fingerprint: string;
  folder: string;
  /** Ends every connection, and the client hears nothing of it. */
  cutAll(): void;
}

export async function startSshd(): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'sshd-'));
  chmodSync(folder, 0o755); // sshd reads the keys of a user as this user
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const [hostKey, userKey, knownHosts] = ['host_key', 'user_key', 'known_hosts'].map((name) => join(folder, name));
  for (const file of [hostKey, userKey])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', `${file}`]);
  writeUsers(folder);
  mkdirSync(join(folder, 'keys'));
  for (const user of ['root', ADMIN, GUEST]) copyFileSync(`${userKey}.pub`, join(folder, 'keys', user));
  writeFileSync(`${knownHosts}`, `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`);
  const configFile = join(folder, 'ssh_config');
  const settings = ['StrictHostKeyChecking no', `UserKnownHostsFile ${knownHosts}`, `IdentityFile ${userKey}`];
  writeFileSync(configFile, `Host *\n${[...settings, 'IdentityAgent none'].map((line) => `  ${line}\n`).join('')}`);
  writeFileSync(join(folder, 'sshd_config'), sshdConfig(folder, `${hostKey}`, port));
  const child = spawn('unshare', ['--mount', '--uts', 'sh', '-c', START, 'sshd', folder], { stdio: 'ignore' });
  atEnd(async () => {
    cutBelow(child.pid ?? 0);
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await untilOpen(port);
  const [, digest] = execFileSync('ssh-keygen', ['-lf', `${hostKey}.pub`], { encoding: 'utf8' }).split(' ');
  const fingerprint = `ssh-ed25519 ${digest}`;
  return { port, configFile, knownHosts: `${knownHosts}`, fingerprint, folder, cutAll: () => cutBelow(child.pid ?? 0) };
}

const START = `set -e
mount --make-rprivate /
hostname w1
mkdir -p /run/sshd
for file in passwd shadow group sudoers; do mount --bind "$1/etc/$file" "/etc/$file"; done
mount -t tmpfs -o mode=0755 tmpfs /opt
exec /usr/sbin/sshd -D -e -f "$1/sshd_config"`;

const sshdConfig = (folder: string, hostKey: string, port: number): string => `Port ${port}
ListenAddress 127.0.0.1
HostKey ${hostKey}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile ${folder}/keys/%u
`;

function writeUsers(folder: string): void {
  mkdirSync(join(folder, 'etc'));
  for (const file of ['passwd', 'shadow', 'group', 'sudoers']) copyFileSync(`/etc/${file}`, join(folder, 'etc', file));
  for (const [number, user] of [ADMIN, GUEST].entries()) {
    const id = 64_100 + number;
    appendFileSync(join(folder, 'etc/passwd'), `${user}:x:${id}:${id}::/tmp:/bin/sh\n`);
    appendFileSync(join(folder, 'etc/shadow'), `${user}:*:19000:0:99999:7:::\n`);
    appendFileSync(join(folder, 'etc/group'), `${user}:x:${id}:\n`);
  }
  appendFileSync(join(folder, 'etc/sudoers'), `${ADMIN} ALL=(ALL) NOPASSWD: ALL\n`);
}

/** The processes of each connection, not those that they have started and left. */
function cutBelow(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  for (const child of children) {
    cutBelow(child);
    try {
      process.kill(child, 'SIGKILL');
    } catch {} // it has ended
  }
}

async function untilOpen(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    if (new RegExp(`:${hex} [0-9A-F:]+ 0A`).test(readFileSync('/proc/net/tcp', 'utf8'))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('sshd does not start');
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
