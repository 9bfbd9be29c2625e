/** The kubelet that is installed on a machine. */
import { fail } from './errors.ts';
import type { Commands } from './ports.ts';
import { clean } from './text.ts';

/** 20 for `v1.20.2`; NaN for what is no version of Kubernetes. */
export const minorOf = (version: string): number => Number(/^v?1\.(\d+)\./.exec(version)?.[1]);

/** `v1.20.2`, as it tells itself; it takes a tenth of a second. E_PROGRAM_MISSING, E_COMMAND_FAILED. */
export async function installedKubelet(commands: Commands): Promise<string> {
  if ((await commands.find('kubelet')) === undefined) throw fail('E_PROGRAM_MISSING', { program: 'kubelet' });
  const { stdout, exitCode } = await commands.query(['kubelet', '--version']);
  const version = /^\s*Kubernetes (v\d+\.\d+\.\d+\S*)\s*$/.exec(stdout)?.[1];
  if (version === undefined)
    throw fail('E_COMMAND_FAILED', { command: 'kubelet --version', exitCode, output: clean(stdout) });
  return version;
}
