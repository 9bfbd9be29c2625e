/** Writes the kubelet's configuration from the cluster's ConfigMap, this machine's flags, and the CA. */

import {
  assertCgroupDriver,
  assertCgroups,
  clusterSettings,
  hasSocketFile,
  installedKubelet,
  paths,
  writtenSocket,
} from '../../engine/node/index.ts';
import { certificatesPem, readCertificates } from '../../engine/pki/index.ts';
import { controls, definePhase, type Files, fail, goYaml, installFiles, runs, writes } from '../../engine/sdk/index.ts';
import { completed } from './configuration.ts';
import { kubeadmFlags } from './flags.ts';
import { applyPatches } from './patches.ts';
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
    const inputs = { kubeletVersion, clusterConfiguration, caCertPath };
    const complete = await completed(services, kubeletConfiguration, inputs);
    const document = patches === undefined ? complete : await applyPatches(complete, patches, ports);
    if (patches !== undefined) await assertCgroups(files, kubeletVersion, document);
    const { cgroupDriver } = document;
    if (patches !== undefined && (cgroupDriver === 'systemd' || cgroupDriver === 'cgroupfs'))
      await assertCgroupDriver(ports, cgroupDriver, {
        criSocket: machine.criSocket,
        kubeletVersion: Promise.resolve(kubeletVersion),
      });
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

/** Quoted like Go's `%q`, as kubeadm writes it. */
const instanceConfig = (socket: string): string => `containerRuntimeEndpoint: ${JSON.stringify(socket)}\n`;

/**
 * kubeadm keeps an existing CA file even if it differs. The kubelet and the cluster would then not trust each other.
 */
async function assertNoOtherCa(files: Files, path: string, ca: string): Promise<void> {
  const existing = (await files.read(path))?.toString('utf8');
  if (existing === undefined || existing.trim() === ca.trim()) return;
  const [found, expected] = [pinsOf(existing), pinsOf(ca)];
  if (found.join() !== expected.join())
    throw fail('E_CA_FILE_DIFFERS', { path, found: found.join(' ') || 'no certificate', wanted: expected.join(' ') });
}

/** Empty if one of the certificates cannot be parsed. */
function pinsOf(pem: string): string[] {
  try {
    return readCertificates(pem).map(({ pin }) => pin);
  } catch {
    return [];
  }
}
