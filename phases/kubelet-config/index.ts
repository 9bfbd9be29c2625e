/** Writes the kubelet's configuration from the cluster's ConfigMap, this machine's flags, and the CA. */

import {
  assertCgroupDriver,
  assertCgroups,
  assertNoOtherCa,
  type ConfigurationSources,
  clusterSettings,
  defaultCgroupDriver,
  hasSocketFile,
  installedKubelet,
  kubeletConfigurationOf,
  originOf,
  paths,
  writtenSocket,
} from '../../engine/node/index.ts';
import { certificatesPem } from '../../engine/pki/index.ts';
import { controls, definePhase, goYaml, installFiles, type Ports, runs, writes } from '../../engine/sdk/index.ts';
import { kubeadmFlags } from './flags.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubelet-config',
  summary: "Write the kubelet's configuration, flags and CA",
  input,
  output,
  effects: [
    runs('kubelet', 'its version determines its flags'),
    controls('kubelet', ['stop'], 'it must not start with incomplete files'),
    writes('{caCertPath}', 0o644, "the CA of the kubelet's clients"),
    writes(paths.kubelet, 0o700, "the kubelet's directory"),
    writes(paths.kubeletInstanceConfig, 0o644, 'the socket of the container runtime, for kubelets from 1.34 on'),
    writes(paths.kubeletConfig, 0o644, "the kubelet's configuration"),
    writes(paths.kubeletInitConfig, 0o644, 'its initial configuration, if DynamicKubeletConfig is on'),
    writes(paths.kubeadmFlags, 0o644, "this machine's flags for the kubelet"),
  ],

  async run(ports, { ca, caCertPath, kubeletConfiguration, configSource, patches, ...machine }) {
    const { files, services, commands } = ports;
    await assertNoOtherCa(files, caCertPath, ca);
    const kubeletVersion = machine.kubeletVersion ?? (await installedKubelet(commands));
    const criSocket = await writtenSocket(ports, machine.criSocket, kubeletVersion);
    const { clusterConfiguration } = machine;
    const inputs = { kubeletVersion, clusterConfiguration, caCertPath, patches };
    const document = await kubeletConfigurationOf(ports, kubeletConfiguration, inputs);
    if (patches !== undefined) {
      const sources = { kubeletConfiguration, clusterConfiguration, patches };
      await assertCgroups(files, kubeletVersion, document, sources);
      await assertPatchedDriver(ports, document, { ...machine, kubeletVersion, sources });
    }
    const socketFile = hasSocketFile(kubeletVersion, clusterConfiguration) ? criSocket : undefined;
    const yaml = goYaml(socketFile === undefined ? document : { ...document, containerRuntimeEndpoint: socketFile });
    const flags = kubeadmFlags({
      ...machine,
      kubeletVersion,
      criSocket: socketFile === undefined ? criSocket : undefined,
      imageRepository: clusterSettings(clusterConfiguration).imageRepository,
    });
    await installFiles('kubelet', { files, services }, [
      { path: caCertPath, content: certificatesPem(ca), mode: 0o644 },
      { path: paths.kubelet, directory: 0o700 },
      ...(socketFile === undefined
        ? []
        : [{ path: paths.kubeletInstanceConfig, content: instanceConfig(socketFile), mode: 0o644 }]),
      { path: paths.kubeletConfig, content: yaml, mode: 0o644 },
      ...(configSource === undefined ? [] : [{ path: paths.kubeletInitConfig, content: yaml, mode: 0o644 }]),
      { path: paths.kubeadmFlags, content: flags, mode: 0o644 },
    ]);
    return {};
  },
});

/** An earlier step has compared the driver of the cluster's own configuration with that of the runtime. */
async function assertPatchedDriver(
  ports: Ports,
  { cgroupDriver }: Record<string, unknown>,
  machine: { criSocket?: string | undefined; kubeletVersion: string; sources: ConfigurationSources },
): Promise<void> {
  if (cgroupDriver !== 'systemd' && cgroupDriver !== 'cgroupfs') return;
  const { criSocket, kubeletVersion, sources } = machine;
  const standard = defaultCgroupDriver(kubeletVersion);
  const origin = originOf('cgroupDriver', { value: cgroupDriver, standard }, sources);
  await assertCgroupDriver(
    ports,
    { driver: cgroupDriver, origin },
    { criSocket, kubeletVersion: Promise.resolve(kubeletVersion) },
  );
}

/** Quoted like Go's `%q`, as kubeadm writes it. */
const instanceConfig = (socket: string): string => `containerRuntimeEndpoint: ${JSON.stringify(socket)}\n`;
