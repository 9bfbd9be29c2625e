/** The kubelet that is installed on a machine. */
import { fail } from '../sdk/errors.ts';
import type { Commands } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';

/** The minor version: 20 for `v1.20.2`; NaN if the text is not a Kubernetes version. */
export const minorOf = (version: string): number => Number(/^v?1\.(\d+)\./.exec(version)?.[1]);

/** The health URL of a kubelet with this KubeletConfiguration; undefined if its address is not valid. */
export function healthUrl(config: Record<string, unknown>): string | undefined {
  const [address, port] = [config.healthzBindAddress || '127.0.0.1', config.healthzPort ?? 10248];
  if (typeof address !== 'string' || typeof port !== 'number' || !/^[\w.:-]+$/.test(address)) return undefined;
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}/healthz`;
  return URL.canParse(url) ? url : undefined;
}

/** The version that the kubelet reports: `v1.20.2`. Errors: E_PROGRAM_MISSING, E_COMMAND_FAILED. */
export async function installedKubelet(commands: Commands): Promise<string> {
  if ((await commands.find('kubelet')) === undefined) throw fail('E_PROGRAM_MISSING', { program: 'kubelet' });
  const { stdout, exitCode } = await commands.query(['kubelet', '--version']);
  const version = /^\s*Kubernetes (v\d+\.\d+\.\d+\S*)\s*$/.exec(stdout)?.[1];
  if (version === undefined)
    throw fail('E_COMMAND_FAILED', { command: 'kubelet --version', exitCode, output: clean(stdout) });
  return version;
}
