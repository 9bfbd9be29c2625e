/** The kubelet that is installed on a machine. */
import { fail } from '../sdk/errors.ts';
import type { Commands } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';

/** 20 for `v1.20.2`; NaN for what is no version of Kubernetes. */
export const minorOf = (version: string): number => Number(/^v?1\.(\d+)\./.exec(version)?.[1]);

/** Where a kubelet with this KubeletConfiguration says whether it is healthy; undefined where that is no address. */
export function healthUrl(config: Record<string, unknown>): string | undefined {
  const [address, port] = [config.healthzBindAddress || '127.0.0.1', config.healthzPort ?? 10248];
  if (typeof address !== 'string' || typeof port !== 'number' || !/^[\w.:-]+$/.test(address)) return undefined;
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}/healthz`;
  return URL.canParse(url) ? url : undefined;
}

/** `v1.20.2`, as it tells itself; it takes a tenth of a second. E_PROGRAM_MISSING, E_COMMAND_FAILED. */
export async function installedKubelet(commands: Commands): Promise<string> {
  if ((await commands.find('kubelet')) === undefined) throw fail('E_PROGRAM_MISSING', { program: 'kubelet' });
  const { stdout, exitCode } = await commands.query(['kubelet', '--version']);
  const version = /^\s*Kubernetes (v\d+\.\d+\.\d+\S*)\s*$/.exec(stdout)?.[1];
  if (version === undefined)
    throw fail('E_COMMAND_FAILED', { command: 'kubelet --version', exitCode, output: clean(stdout) });
  return version;
}
