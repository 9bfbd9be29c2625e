/** The transport ssh, with real OpenSSH on both sides. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MachineContext } from '../../engine/fleet/machine.ts';
import { openMachines } from '../../engine/fleet/transports/index.ts';
import { EXECUTABLE } from '../../engine/fleet/transports/shell-machine.ts';
import type { SshTransport } from '../../engine/fleet/transports/ssh.ts';
import { atEnd } from '../helpers/endings.ts';
import { type FleetScene, fleetScene, joinMachine, OWN, rootOf } from '../helpers/fleet.ts';
import { ADMIN, freePort, GUEST, type Sshd, startSshd } from './sshd.ts';

const { signal } = new AbortController();
let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});

const transportTo = (change: Partial<SshTransport> = {}): SshTransport => ({
  kind: 'ssh',
  user: ADMIN,
  port: sshd.port,
  sudo: true,
  configFile: sshd.configFile,
  ...change,
});

/** Tries to reach the machine, with connections of its own. */
async function reach(change: Partial<SshTransport> = {}) {
  const machines = openMachines(OWN);
  const shape = { role: 'worker', labels: {}, environments: [], variables: {} } as const;
  try {
    const transport = transportTo(change);
    const machine = await machines.of({ ...shape, environments: [], name: 'w1', address: '127.0.0.1', transport });
    return await machine.reach(signal);
  } finally {
    await machines.close();
  }
}

const withKnownHosts = (name: string, text: string): string => {
  const [known, config] = [join(sshd.folder, name), join(sshd.folder, `${name}.config`)];
  writeFileSync(known, text);
  writeFileSync(config, readFileSync(sshd.configFile, 'utf8').replace(sshd.knownHosts, known));
  return config;
};

describe('reaching a machine over ssh', () => {
  test.each([
    ['as a user with sudo', () => ({})],
    ['as root', () => ({ user: 'root', sudo: false })],
    ['through a jump host', () => ({ jump: `${GUEST}@127.0.0.1:${sshd.port}` })],
  ])('a machine is reached %s', async (_, change) => {
    expect(await reach(change())).toEqual({ architecture: process.arch, hostName: 'w1' });
  });

  test('an unknown host key is refused with its fingerprint, although ssh_config skips the check', async () => {
    await expect(reach({ configFile: withKnownHosts('empty', '') })).rejects.toMatchObject({
      code: 'E_FLEET_HOST_KEY',
      message: `the host key of w1 (127.0.0.1) is not in known_hosts: ${sshd.fingerprint}`,
      hint: expect.stringContaining(`accept it: ssh -p ${sshd.port} 127.0.0.1`),
    });
  });

  test('a changed host key is refused, and the hint deletes the old one first', async () => {
    const other = readFileSync(join(sshd.folder, 'user_key.pub'), 'utf8');
    const configFile = withKnownHosts('other', `[127.0.0.1]:${sshd.port} ${other}`);
    await expect(reach({ configFile })).rejects.toMatchObject({
      code: 'E_FLEET_HOST_KEY',
      message: expect.stringContaining(`is not the one in known_hosts; it is now ${sshd.fingerprint}`),
      hint: expect.stringContaining(`ssh-keygen -R '[127.0.0.1]:${sshd.port}'`),
    });
  });

  test('a failure at a jump host is reported as that of the jump host', async () => {
    const jump = `games@127.0.0.1:${sshd.port}`;
    await expect(reach({ jump })).rejects.toMatchObject({
      code: 'E_FLEET_AUTH',
      message: expect.stringContaining('games@127.0.0.1: Permission denied'),
    });
    await expect(reach({ jump, configFile: withKnownHosts('none', '') })).rejects.toEqual(
      expect.objectContaining({ code: 'E_FLEET_HOST_KEY' }),
    );
  });

  test('a user whose key is not accepted is reported as such', async () => {
    const stranger = join(sshd.folder, 'stranger');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger]);
    const configFile = join(sshd.folder, 'stranger.config');
    writeFileSync(configFile, readFileSync(sshd.configFile, 'utf8').replace(/IdentityFile .*/, ''));
    await expect(reach({ configFile, identityFile: stranger })).rejects.toMatchObject({
      code: 'E_FLEET_AUTH',
      message: expect.stringContaining('Permission denied (publickey)'),
    });
  });

  test('a user who may not become root is reported as such', async () => {
    await expect(reach({ user: GUEST })).rejects.toMatchObject({
      code: 'E_FLEET_SUDO',
      message: 'cannot run commands as root on w1: sudo: a password is required',
    });
    await expect(reach({ sudo: false })).rejects.toMatchObject({
      code: 'E_FLEET_SUDO',
      message: `cannot run commands as root on w1: commands run as the user ${ADMIN}, not as root`,
    });
  });

  test('a machine without sshd is unreachable, which may pass', async () => {
    const port = await freePort();
    await expect(reach({ port })).rejects.toMatchObject({
      code: 'E_FLEET_UNREACHABLE',
      transient: true,
      message: expect.stringContaining('Connection refused'),
    });
  });
});

describe('joining a machine over ssh', () => {
  /** A machine whose executable is this Joinery, on a scratch root. */
  async function remote(): Promise<{ scene: FleetScene; context: MachineContext }> {
    const source = join(sshd.folder, `join-${Date.now()}`);
    const scene = await fleetScene({
      hosts: 1,
      executables: async () => {
        const digest = createHash('sha256').update(readFileSync(source)).digest('hex');
        return { source, digest, path: EXECUTABLE, mode: 0o755 };
      },
    });
    const local = scene.context(0);
    const words = [...OWN, '"$@"', '--root', rootOf(local)];
    writeFileSync(source, `#!/bin/sh\nexec ${words.join(' ')}\n`);
    chmodSync(source, 0o600);
    return { scene, context: { ...local, host: { ...local.host, address: '127.0.0.1', transport: transportTo() } } };
  }

  test('the executable is copied once, the machine joins, and its token is on no command line', async () => {
    const { scene, context } = await remote();
    const { steps, sandbox } = scene;
    expect(await steps.install(context)).toMatchObject({ changed: true });
    expect(await steps.install(context)).toMatchObject({ changed: false });
    const secrets = new Set<string>();
    const seen = { lines: 0, leaks: [] as string[] };
    const look = setInterval(() => {
      for (const { data } of sandbox.store.list<{ data: Record<string, string> } & never>('secrets') as never[])
        secrets.add(Buffer.from(data['token-secret'] ?? '', 'base64').toString());
      for (const line of commandLines()) {
        seen.lines++;
        if ([...secrets].some((secret) => secret !== '' && line.includes(secret))) seen.leaks.push(line);
      }
    }, 20);
    atEnd(() => clearInterval(look));
    const events = await joinMachine(steps, context);
    clearInterval(look);
    expect(events.at(-1)).toMatchObject({ type: 'run.ended', status: 'succeeded' });
    expect(secrets.size).toBeGreaterThan(1);
    expect(seen.lines).toBeGreaterThan(100);
    expect(seen.leaks).toEqual([]);
    await steps.undo(context, events[0]?.run);
    expect(sandbox.store.list('nodes')).toEqual([]);
  });

  test('a connection that is cut in the middle of a join is opened again, and no event is lost', async () => {
    const { scene, context } = await remote();
    const { steps } = scene;
    await steps.install(context);
    const token = await steps.token(context);
    const seqs: number[] = [];
    const cuts = [3, 20];
    const onEvent = ({ seq }: { seq: number }) => {
      seqs.push(seq);
      if (cuts.includes(seq)) sshd.cutAll();
    };
    await steps.join(context, { state: 'none' }, token, { fromSeq: 1, onEvent });
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    await steps.verify(context);
  });

  test('the end of the operator closes its connections and deletes their folder', async () => {
    const machines = openMachines(OWN);
    const { context } = await remote();
    const before = sshFolders();
    await (await machines.of(context.host)).reach(signal);
    const [own] = sshFolders().filter((folder) => !before.includes(folder));
    expect(commandLines().filter((line) => line.includes(`${own}`))).not.toEqual([]);
    await machines.close();
    expect(sshFolders()).toEqual(before);
    await expect.poll(() => commandLines().filter((line) => line.includes(`${own}`)), { timeout: 10_000 }).toEqual([]);
  });
});

const sshFolders = (): string[] => readdirSync('/tmp').filter((name) => name.startsWith('joinery-ssh-'));

const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/cmdline`))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it has ended
      }
    });
