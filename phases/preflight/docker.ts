/** Docker behind the kubelet's own shim, which kubelets had until 1.23: it is asked by its command. */
import { socketPath } from '../../engine/node/index.ts';
import { type Commands, clean, fail } from '../../engine/sdk/index.ts';

const DOCKERSHIM = '/var/run/dockershim.sock';
const INFO = ['docker', 'info', '--format', '{{json .}}'];

export const isDocker = (criSocket: string | undefined): boolean => socketPath(criSocket ?? '') === DOCKERSHIM;

export interface DockerInfo {
  ServerVersion?: string;
  /** Of its storage. */
  Driver?: string;
  CgroupDriver?: string;
}

/** E_COMMAND_FAILED where it does not answer. */
export async function dockerInfo(commands: Commands): Promise<DockerInfo> {
  const { exitCode, stdout, stderr } = await commands.query(INFO);
  try {
    if (exitCode === 0) return { ...(JSON.parse(stdout) as DockerInfo) };
  } catch {} // what it said is told below
  throw fail('E_COMMAND_FAILED', { command: INFO.join(' '), exitCode, output: clean(stderr || stdout) });
}
