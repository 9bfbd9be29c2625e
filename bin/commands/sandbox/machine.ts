/** A sandbox cluster and a scratch machine, in one temporary folder. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import type { ControlPlaneSandbox } from '../../../plugins/sandbox/control-plane/index.ts';
import type { FailureName } from '../../../plugins/sandbox/failure-names.ts';
import type { Sandbox, SandboxOptions } from '../../../plugins/sandbox/index.ts';
import { DEFAULT_PROFILE, type Profile, type ProfileName, profiles } from '../../../plugins/sandbox/profile.ts';

export interface PlaygroundOptions {
  /** Version of the cluster and of the kubelet. Default: the newest. */
  kubernetesVersion?: ProfileName;
  /** Default: `auto`. */
  approve?: 'auto' | 'manual';
  /** Steps that fail. */
  fail?: readonly FailureName[];
  /** `slow`: the API server and the kubelet take seconds. Default: `fast`. */
  pace?: 'fast' | 'slow';
  /** Whether a control plane can join, too. Default: no. */
  controlPlanes?: boolean;
}

/** What joins the machine as a second control plane. */
export interface ControlPlaneOffer {
  sandbox: ControlPlaneSandbox;
  /** Arguments of `join run`. */
  joinArguments: string[];
  /** Root of the first control plane, which has the certificates for `join certs upload`. */
  firstRoot: string;
}

export interface Playground {
  sandbox: Sandbox;
  /** The root of the scratch machine, for `--root`. */
  root: string;
  /** The admin kubeconfig, for kubectl. */
  kubeconfig: string;
  /** While this file exists, requests for certificates are approved. Absent if they always are. */
  approvalFile?: string;
  /** What a user should know of each step that fails. */
  failures: string[];
  /** Arguments of `join run` that join the machine to the cluster. */
  joinArguments: string[];
  /** Absent for versions that control planes cannot join. */
  controlPlane?: ControlPlaneOffer;
  /** Stops everything and deletes the folder. */
  close(): Promise<void>;
}

const HOST_NAME = 'worker-1';
const SECOND_NAME = 'control-plane-2';
const SLOW_ANSWER_MS = 1_500;
const SLOW_KUBELET_SECONDS = 8;
const LOOK_MS = 200;

/** The service manager of the scratch machine starts the kubelet with `program`, the words that start this command. */
export async function openPlayground(program: readonly string[], options: PlaygroundOptions = {}): Promise<Playground> {
  const { kubernetesVersion = DEFAULT_PROFILE, approve = 'auto', fail = [], pace = 'fast' } = options;
  const { makeMachine } = await import('../../../plugins/sandbox/machine/machine.ts');
  const { launched } = await import('../../../plugins/sandbox/machine/launch.ts');
  const { startRuntime } = await import('../../../plugins/sandbox/machine/runtime.ts');
  const { prepareFailure } = await import('../../../plugins/sandbox/failures.ts');
  const folder = await mkdtemp(join(tmpdir(), 'joinery-'));
  const cleaner = await startCleaner(folder);
  const [root, kubeconfig] = [join(folder, 'machine'), join(folder, 'admin.conf')];
  const { gitVersion: kubeletVersion, cgroupDriver, etcdVersion }: Profile = profiles[kubernetesVersion];
  const settings = { profile: kubernetesVersion, autoApprove: approve === 'auto' };
  const { sandbox, controlPlanes } = await (options.controlPlanes === true && etcdVersion !== undefined
    ? startWithControlPlanes(settings)
    : startForWorkers(settings));
  const kubelet = launched([...program, 'sandbox', 'kubelet'], pace === 'slow' ? SLOW_KUBELET_SECONDS : 0);
  await mkdir(root);
  await makeMachine(root, { hostName: HOST_NAME, kubelet, kubeletVersion });
  const containers = controlPlanes?.containersOf(root);
  const runtime = await startRuntime(root, {
    cgroupDriver: cgroupDriver ?? 'cgroupfs',
    ...(containers === undefined ? {} : { pods: containers }),
  });
  await writeFile(kubeconfig, sandbox.adminKubeconfig, { mode: 0o600 });
  const failures: string[] = [];
  for (const name of fail) failures.push(await prepareFailure(name, { sandbox, root, hostName: HOST_NAME }));
  if (pace === 'slow')
    sandbox.faults.add({ effect: 'latency', latencyMs: SLOW_ANSWER_MS, times: Number.POSITIVE_INFINITY });
  const approvalFile = join(folder, 'approve');
  const look = approve === 'auto' ? undefined : setInterval(() => followFile(sandbox, approvalFile), LOOK_MS);
  const pin = ['--discovery-token-ca-cert-hash', sandbox.caPin];
  const joinArguments = [sandbox.endpoint, '--token', sandbox.token, ...pin, '--root', root];
  const controlPlane = controlPlanes && (await offerOf(controlPlanes, folder, joinArguments));
  return {
    sandbox,
    root,
    kubeconfig,
    ...(look === undefined ? {} : { approvalFile }),
    failures,
    joinArguments,
    ...(controlPlane === undefined ? {} : { controlPlane }),
    async close() {
      clearInterval(look);
      const cleaned = once(cleaner, 'close');
      cleaner.stdin.end();
      await cleaned;
      await runtime.close();
      await containers?.close();
      await sandbox.close();
    },
  };
}

interface Started {
  sandbox: Sandbox;
  controlPlanes?: ControlPlaneSandbox;
}

async function startForWorkers(options: SandboxOptions): Promise<Started> {
  const { startSandbox } = await import('../../../plugins/sandbox/index.ts');
  return { sandbox: await startSandbox(options) };
}

async function startWithControlPlanes(options: SandboxOptions): Promise<Started> {
  const { startControlPlaneSandbox } = await import('../../../plugins/sandbox/control-plane/index.ts');
  const sandbox = await startControlPlaneSandbox(options);
  return { sandbox, controlPlanes: sandbox };
}

async function offerOf(
  sandbox: ControlPlaneSandbox,
  folder: string,
  joinArguments: readonly string[],
): Promise<ControlPlaneOffer> {
  const firstRoot = join(folder, 'control-plane-1');
  for (const [path, content] of Object.entries(sandbox.sharedFiles)) {
    await mkdir(dirname(join(firstRoot, path)), { recursive: true });
    await writeFile(join(firstRoot, path), content, { mode: 0o600 });
  }
  const own = ['--control-plane', '--certificate-key', sandbox.certificateKey, '--node-name', SECOND_NAME];
  const address = ['--apiserver-advertise-address', sandbox.advertiseAddress];
  return { sandbox, firstRoot, joinArguments: [...joinArguments, ...own, ...address] };
}

function followFile(sandbox: Sandbox, approvalFile: string): void {
  const isApproved = existsSync(approvalFile);
  if (sandbox.autoApprove !== isApproved) sandbox.autoApprove = isApproved;
}

const CLEAN = '"$1/machine/usr/bin/systemctl" stop kubelet; rm -rf -- "$1"';

/**
 * Stops the kubelet and deletes the folder when its standard input ends, which also a SIGKILL of this process brings
 * about. It has a session of its own, so that the signals of the terminal do not reach it.
 */
async function startCleaner(folder: string): Promise<ChildProcessByStdio<Writable, null, null>> {
  const cleaner = spawn('/bin/sh', ['-c', `read -r _; ${CLEAN}`, 'joinery-sandbox', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(cleaner, 'spawn');
  cleaner.unref();
  return cleaner;
}
