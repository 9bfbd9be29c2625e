/** Kubelets from 1.35 on do not start on cgroups v1, unless their configuration accepts them. */
import { fail } from '../sdk/errors.ts';
import type { Files } from '../sdk/ports.ts';
import { type ConfigurationSources, originOf } from './kubelet-configuration.ts';
import { holds } from './release-facts.ts';

/** Throws E_CGROUP_V1 if a kubelet of this version and configuration would not start on the machine's cgroups. */
export async function assertCgroups(
  files: Files,
  kubelet: string,
  { failCgroupV1 }: Readonly<Record<string, unknown>>,
  sources: ConfigurationSources,
): Promise<void> {
  if (failCgroupV1 === false || !holds('cgroupV1Refused', kubelet)) return;
  const [table, unified] = await Promise.all([
    files.stat('/proc/cgroups'),
    files.stat('/sys/fs/cgroup/cgroup.controllers'), // at the root of a v2 hierarchy only
  ]);
  if (table !== undefined && unified === undefined)
    throw fail('E_CGROUP_V1', {
      kubelet,
      origin: originOf('failCgroupV1', { value: failCgroupV1, standard: undefined }, sources),
    });
}
