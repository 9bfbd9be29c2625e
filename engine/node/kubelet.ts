/** The kubelet that is installed on a machine. */
import { fail } from '../sdk/errors.ts';
import type { Commands } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';

/** The minor version: 20 for `v1.20.2`; NaN if the text is not a Kubernetes version. */
export const minorOf = (version: string): number => Number(/^v?1\.(\d+)\./.exec(version)?.[1]);

/** A kubelet that listens at all addresses is asked at the loopback address. */
const LOOPBACK: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Whether a kubelet with this KubeletConfiguration has no health check. */
export const isHealthCheckOff = ({ healthzPort }: Record<string, unknown>): boolean => healthzPort === 0;

/** The health URL of a kubelet with this KubeletConfiguration; undefined if its address is not valid. */
export function healthUrl(config: Record<string, unknown>): string | undefined {
  const [bound, port] = [config.healthzBindAddress || '127.0.0.1', config.healthzPort ?? 10248];
  if (typeof bound !== 'string' || typeof port !== 'number' || !/^[\w.:-]+$/.test(bound)) return undefined;
  const address = LOOPBACK[bound] ?? bound;
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}/healthz`;
  return URL.canParse(url) ? url : undefined;
}

/** The version that the kubelet reports: `v1.20.2`. Errors: E_PROGRAM_MISSING, E_COMMAND_FAILED. */
export async function installedKubelet(commands: Commands): Promise<string> {
  if ((await commands.find('kubelet')) === undefined) throw fail('E_PROGRAM_MISSING', { program: 'kubelet' });
  const { stdout, stderr, exitCode } = await commands.query(['kubelet', '--version']);
  const version = /^\s*Kubernetes (v\d+\.\d+\.\d+\S*)\s*$/.exec(stdout)?.[1];
  if (version === undefined)
    throw fail('E_COMMAND_FAILED', {
      command: 'kubelet --version',
      exitCode,
      output: clean((stderr || stdout).trim()),
    });
  return version;
}
