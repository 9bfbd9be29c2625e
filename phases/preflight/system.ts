/**
 * The checks `Swap` and `SystemVerification` (kernel, kernel options, cgroups). Source: kubeadm's system validators.
 */
import type { Files } from '../../engine/sdk/index.ts';
import { cgroupFindings, cgroupsOf } from './cgroups.ts';
import { type Check, type CheckContext, type Finding, ok, problem } from './check.ts';
import { isDocker } from './docker.ts';
import { dockerFindings } from './docker-version.ts';
import { optionsFinding } from './kernel-options.ts';

export const swapOff: Check = {
  name: 'Swap',
  severity: 'error',
  warnsBy: 'swapWarns',
  passesIf: '`/proc/swaps` is empty: a kubelet does not start with swap on, unless its configuration allows it',
  hint: 'swapoff -a, and remove it from /etc/fstab to keep it off',
  async run({ files }) {
    const [, ...lines] = (await files.read('/proc/swaps'))?.toString('utf8').trim().split('\n') ?? [];
    const names = lines.map((line) => line.split(/\s/)[0]);
    return names.length === 0 ? ok('no swap is on') : problem(`swap is on: ${names.join(', ')}`);
  },
};

export const systemVerification: Check = {
  name: 'SystemVerification',
  severity: 'error',
  passesIf:
    'the kernel is Linux 3.10 or newer (4.19 for kubelets from 1.32 on; from 1.34 on, a warning if it is ' +
    'neither 5.4, 5.10, 5.15 nor 6 or later), it has the options that containers need, and the cgroup ' +
    "controllers that a kubelet needs; kubelets from 1.35 on need cgroups v2; with Docker's socket, kubeadm " +
    '1.20 supports the version of Docker',
  hint: 'Boot a kernel that has these, such as the kernel of any common distribution.',
  async run(context) {
    const release = await textOf(context.files, '/proc/sys/kernel/osrelease');
    const cgroups = await cgroupsOf(context.files);
    const docker = isDocker(context.inputs.criSocket) ? [context.docker().then(dockerFindings)] : [];
    const found = await Promise.all([
      kernel(context, release),
      optionsFinding(context, release, cgroups),
      cgroupFindings(context, cgroups),
      ...docker,
    ]);
    return found.flat();
  },
};

const textOf = async (files: Files, path: string): Promise<string> =>
  (await files.read(path))?.toString('utf8').trim() ?? '';

const RELEASES = {
  from310: /^(3\.[1-9]\d|([4-9]|[1-9]\d+)\.\d+\.\d+)/,
  from419: /^(4\.(19|[2-9]\d)|([5-9]|[1-9]\d+)\.\d+\.\d+)/,
  longTerm: /^(5\.(4|10|15)|([6-9]|[1-9]\d+)\.\d+\.\d+)/,
};

/** A long-term kernel suits every kubelet, so its version does not matter then. */
async function kernel({ files, holds }: CheckContext, release: string): Promise<Finding> {
  const found = `the kernel is ${await textOf(files, '/proc/sys/kernel/ostype')} ${release}`;
  if (!found.includes('Linux ')) return problem(found);
  if (RELEASES.longTerm.test(release)) return ok(found);
  if (await holds('longTermKernels'))
    return problem(`${found}, which is neither 5.4, 5.10, 5.15 nor 6 or later`, { severity: 'warning' });
  const known = (await holds('kernel419')) ? RELEASES.from419 : RELEASES.from310;
  return known.test(release) ? ok(found) : problem(found);
}
