/** Docker behind the dockershim of kubelets up to 1.23. Joinery queries it through the docker command. */
import { socketPath } from '../../engine/node/index.ts';
import { type Commands, clean, fail } from '../../engine/sdk/index.ts';

const DOCKERSHIM = '/var/run/dockershim.sock';
const INFO = ['docker', 'info', '--format', '{{json .}}'];

export const isDocker = (criSocket: string | undefined): boolean => socketPath(criSocket ?? '') === DOCKERSHIM;

export interface DockerInfo {
  ServerVersion?: string;
  /** Storage driver. */
  Driver?: string;
  CgroupDriver?: string;
}

/** Throws E_COMMAND_FAILED if Docker does not answer. */
export async function dockerInfo(commands: Commands): Promise<DockerInfo> {
  const { exitCode, stdout, stderr } = await commands.query(INFO);
  try {
    if (exitCode === 0) return { ...(JSON.parse(stdout) as DockerInfo) };
  } catch {} // the error below quotes the output
  throw fail('E_COMMAND_FAILED', { command: INFO.join(' '), exitCode, output: clean(stderr || stdout) });
}
