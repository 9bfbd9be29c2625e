/**
 * Machines with a fault: no root, programs and runtimes that fail, hang or flood, a kubelet that does
 * not come up.
 */
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Host } from '../../engine/host/host.ts';
import type { RuntimeOptions } from '../../plugins/sandbox/machine/runtime.ts';
import { EVER, type Fault, LIMIT_MS } from './fault.ts';
import type { Scene } from './scene.ts';

type Ends = Fault['ends'];
const PREFLIGHT: Ends = ['E_PREFLIGHT', 'preflight'];
const COMMAND: Ends = ['E_COMMAND_FAILED', 'machine'];
const LIMIT: Ends = ['E_STEP_TIME_LIMIT', 'timeLimit'];
/** Colours and a title, as `printf` writes them. */
const EVIL = String.raw`\033[31m\033]0;pwned\007\302\2331m\342\200\256evil`;
/** A program that hangs: longer than any limit, and not forever. */
const HANG = 'exec sleep 60';

const row = (name: string, where: string, inject: Fault['inject'], ends: Ends, more: Partial<Fault> = {}): Fault => ({
  name,
  where,
  inject,
  ends,
  lasting: true,
  ...more,
});
const program = (
  name: string,
  where: string,
  script: string,
  ends: Ends,
  step?: string,
  more: Partial<Fault> = {},
): Fault =>
  row(
    name,
    where,
    async (scene) => {
      scene.hasPrograms = true;
      await scene.program(where.split(' ')[0] ?? '', script);
    },
    ends,
    { ...(step === undefined ? {} : { limitsMs: { [step]: LIMIT_MS } }), ...more },
  );
/** The service manager of the scene, with another script for one verb. */
const systemctl = (
  verb: string,
  script: string,
  ends: Ends,
  step?: string,
  prepare?: (scene: Scene) => unknown,
): Fault =>
  row(
    script,
    `systemctl ${verb}`,
    async (scene) => {
      scene.hasPrograms = true;
      const own = await readFile(join(scene.root, 'usr/bin/systemctl'), 'utf8');
      await scene.program('systemctl', `[ "$1" = ${verb} ] && { ${script}; exit; }\n${own}`);
      await prepare?.(scene);
    },
    ends,
    step === undefined ? {} : { limitsMs: { [step]: LIMIT_MS } },
  );
const bareUnit = (scene: Scene) => scene.lay('etc/systemd/system/kubelet.service.d/10-kubeadm.conf', '[Service]\n');
const preflight = (name: string, path: string, text: string, ends: Ends = PREFLIGHT): Fault =>
  row(name, path, (scene) => scene.lay(path, text), ends);
const CRIO_SOCKET = '/var/run/crio/crio.sock';
/** It ends with the process. */
async function listen(scene: Scene, path: string, serve: (connection: Socket) => void): Promise<void> {
  await mkdir(join(scene.root, path, '..'), { recursive: true });
  const server = createServer((connection) => serve(connection.on('error', () => undefined)));
  await once(server.listen(join(scene.root, path)).unref(), 'listening');
}
/** The runtime of the machine answers at this path, too. */
const answerLikeRuntime = (scene: Scene, path: string): Promise<void> =>
  listen(scene, path, (connection) => {
    const runtime = connect(join(scene.root, SOCKET)).on('error', () => connection.destroy());
    connection.pipe(runtime).pipe(connection);
  });
const without = (scene: Scene, path: string) => rm(join(scene.root, path), { force: true });
const unprivileged = (host: Host): Host => ({ ...host, facts: { ...host.facts, privileged: false } });

const preflights: Fault[] = [
  row(
    'no root',
    'preflight',
    (scene) => {
      scene.wrap = unprivileged;
    },
    PREFLIGHT,
    {
      also: ({ sandbox }) => expect(sandbox.store.requests.every(({ user }) => user === 'system:anonymous')).toBe(true),
    },
  ),
  // Since 1.23 kubeadm warns about swap, and no longer looks at manifests.
  preflight('swap is on', '/proc/swaps', 'Filename\n/dev/sda2 partition 1 0 -2\n', 'survives'),
  preflight('no forwarding', '/proc/sys/net/ipv4/ip_forward', '0\n'),
  preflight('a manifest of control characters is there', '/etc/kubernetes/manifests/\u001b[31m\u202e', '', 'survives'),
  preflight('the port is taken', '/proc/net/tcp', '  sl\n   0: 00000000:280A 00000000:0000 0A 0:0 0:0 0 0 0 1\n'),
  row(
    'no container runtime',
    '/run/containerd/containerd.sock',
    (scene) => without(scene, 'run/containerd/containerd.sock'),
    PREFLIGHT,
  ),
  row('two container runtimes', CRIO_SOCKET, (scene) => answerLikeRuntime(scene, CRIO_SOCKET), PREFLIGHT),
  preflight('a file in the place of a second runtime', CRIO_SOCKET, '', 'survives'),
  row('no conntrack', '/usr/bin/conntrack', (scene) => without(scene, 'usr/bin/conntrack'), PREFLIGHT),
];

const programs: Fault[] = [
  row(
    'it is missing',
    'kubelet --version',
    (scene) => {
      scene.values.ignorePreflightErrors = ['all'];
      scene.hasPrograms = true;
      return without(scene, 'usr/bin/kubelet');
    },
    ['E_PROGRAM_MISSING', 'machine'],
  ),
  program('nonsense', 'kubelet --version', 'echo nonsense', COMMAND),
  program('control characters', 'kubelet --version', `printf 'Kubernetes ${EVIL}\\n'`, COMMAND),
  program('nothing, and 1', 'kubelet --version', 'exit 1', COMMAND),
  program('it is killed', 'kubelet --version', 'kill -9 $$', COMMAND),
  row(
    'it is not a program',
    'kubelet --version',
    async (scene) => {
      scene.hasPrograms = true;
      await scene.lay('usr/bin/kubelet', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0]));
    },
    COMMAND,
  ),
  program('it floods', 'kubelet --version', 'exec yes', COMMAND),
  program('it hangs', 'kubelet --version', HANG, LIMIT, 'kubelet-version'),
  program(
    'it hangs and does not want to end',
    'kubelet --version',
    `trap '' TERM INT HUP; ${HANG}`,
    LIMIT,
    'kubelet-version',
  ),
  program(
    'it leaves a child that keeps its output',
    'kubelet --version',
    'sleep 8 & echo Kubernetes v1.24.17',
    LIMIT,
    'kubelet-version',
  ),
];

const SOCKET = '/run/containerd/containerd.sock';
const EVIL_NAME = '\u001b[31m\u001b]0;pwned\u0007\u009b1m\u202eevil';
const runtime = (name: string, options: RuntimeOptions, ends: Ends): Fault =>
  row(name, SOCKET, (scene) => scene.startRuntime(options), ends);
/** Another server at the socket. It ends with the scene. */
const listener = (name: string, serve: (connection: Socket) => void, ends: Ends, limitsMs: Fault['limitsMs'] = {}) =>
  row(
    name,
    SOCKET,
    async (scene) => {
      await scene.stopRuntime();
      await listen(scene, SOCKET, serve);
    },
    ends,
    { limitsMs },
  );
const runtimes: Fault[] = [
  runtime('control characters', { name: EVIL_NAME }, 'survives'),
  runtime('it refuses everything', { refusesWith: 13 }, PREFLIGHT),
  runtime('another cgroup driver', { cgroupDriver: 'cgroupfs' }, ['E_CGROUP_DRIVER', 'machine']),
  listener('it says nothing', () => undefined, LIMIT, { preflight: LIMIT_MS }),
  listener('it speaks no gRPC', (connection) => connection.end('HTTP/1.1 400 Bad Request\r\n\r\n'), PREFLIGHT),
  listener('it ends each connection', (connection) => connection.destroy(), PREFLIGHT),
];

const services: Fault[] = [
  systemctl('show', 'echo nonsense', PREFLIGHT),
  systemctl('show', 'exit 1', PREFLIGHT),
  systemctl('show', HANG, LIMIT, 'preflight'),
  systemctl('cat', 'exit 1', 'survives'),
  systemctl('cat', HANG, LIMIT, 'kubelet-start'),
  systemctl('start', `printf '${EVIL}' >&2; exit 1`, COMMAND),
  systemctl('start', HANG, LIMIT, 'kubelet-start'),
  systemctl('daemon-reload', `printf '${EVIL}' >&2; exit 1`, COMMAND, undefined, bareUnit),
  systemctl('daemon-reload', HANG, LIMIT, 'kubelet-start', bareUnit),
  row(
    'it is missing',
    'systemctl',
    (scene) => {
      scene.hasPrograms = true;
      scene.kubeletRuns = false;
      return without(scene, 'usr/bin/systemctl');
    },
    LIMIT,
    { limitsMs: { 'node-ready': LIMIT_MS } },
  ),
];

const dies = (script: string) => async (scene: Scene) => {
  await scene.program('journalctl', script);
  const apiPort = scene.sandbox.endpoint.split(':').at(-1);
  scene.at('kubelet-config get', {
    effect: 'changed',
    times: EVER,
    change: (map: object & { data?: { kubelet?: string } }) => ({
      ...map,
      // The API server listens at this port already.
      data: { kubelet: map.data?.kubelet?.replace(/^healthzPort: .*$/m, `healthzPort: ${apiPort}`) },
    }),
  });
};
const sleeps = (script: string) => async (scene: Scene) => {
  scene.kubeletRuns = false;
  await scene.program('journalctl', script);
};
const SERVICE: Ends = ['E_SERVICE_FAILED', 'machine'];
const HEALTH: Ends = ['E_HEALTH', 'machine'];
/** Long enough for a busy machine to come to the wait. */
const limited = { limitsMs: { 'kubelet-start': 10_000 } };
const kubelets: Fault[] = [
  row('it dies', 'kubelet', dies('echo "F0102 failed to run Kubelet: bye"'), SERVICE),
  row('it dies, with control characters for last words', 'kubelet', dies(`printf 'F0102 ${EVIL}\\n'`), SERVICE),
  row('it dies, and its log cannot be read', 'kubelet', dies('exit 1'), SERVICE),
  row('it does not become healthy', 'kubelet', sleeps('echo waiting'), HEALTH, limited),
  row('it does not become healthy, and its log floods', 'kubelet', sleeps('exec yes'), HEALTH, limited),
  row('it does not become healthy, and its log hangs', 'kubelet', sleeps(HANG), HEALTH, limited),
  row(
    'it does not register',
    'kubelet',
    (scene) => {
      scene.sandbox.faults.add({
        effect: 'latency',
        method: 'POST',
        path: '/api/v1/nodes',
        latencyMs: 600_000,
        times: EVER,
      });
    },
    LIMIT,
    { limitsMs: { 'node-ready': LIMIT_MS } },
  ),
];

/** What a shell adds by itself. */
const OF_THE_SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_'];
const UNWANTED = {
  SECRET: 'canary-7c1e',
  NODE_OPTIONS: '--no-warnings',
  LD_PRELOAD: '',
  AWS_SECRET_ACCESS_KEY: 'canary-7c1e',
};
const environment = (name: string, command: string): Fault =>
  row(
    'its environment has only the variables that it needs',
    name,
    async (scene) => {
      scene.hasPrograms = true;
      Object.assign(process.env, UNWANTED);
      const own = await readFile(join(scene.root, 'usr/bin', command), 'utf8');
      await scene.program(command, `env >>"$JOINERY_ROOT/run/kubelet.env"\n${own}`);
    },
    'survives',
    {
      async also({ root }) {
        const seen = (await readFile(join(root, 'run/kubelet.env'), 'utf8')).trim().split('\n');
        const names = new Set(seen.map((line) => line.split('=')[0] ?? ''));
        for (const one of OF_THE_SHELL) names.delete(one);
        expect([...names].sort()).toEqual(['HOME', 'JOINERY_ROOT', 'LANG', 'PATH']);
      },
    },
  );
const environments = [environment('kubelet --version', 'kubelet'), environment('systemctl', 'systemctl')];

export const machine: Fault[] = [...preflights, ...programs, ...runtimes, ...services, ...kubelets, ...environments];
