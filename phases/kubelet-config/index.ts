/** The kubelet's configuration on disk: the cluster's ConfigMap, this machine's flags, the CA. */

import { assertCgroupDriver, findCriSocket, installedKubelet, paths } from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import { controls, definePhase, type Files, fail, installFiles, runs, writes } from '../../engine/sdk/index.ts';
import { completed, yamlOf } from './configuration.ts';
import { kubeadmFlags } from './flags.ts';
import { patched } from './patches.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubelet-config',
  summary: "Write the kubelet's configuration, flags and CA",
  input,
  output,
  effects: [
    runs('kubelet', 'its version decides its flags'),
    controls('kubelet', ['stop'], 'it must not start on half of its files'),
    writes('{caCertPath}', 0o644, 'the CA that the kubelet knows its clients by'),
    writes(paths.kubelet, 0o700, "the kubelet's directory"),
    writes(paths.kubeletConfig, 0o644, "the kubelet's configuration"),
    writes(paths.kubeletInitConfig, 0o644, 'the same, where DynamicKubeletConfig is on: what the kubelet begins with'),
    writes(paths.kubeadmFlags, 0o644, "this machine's own flags for the kubelet"),
  ],

  async run(ports, { ca, caCertPath, kubeletConfiguration, configSource, patches, ...machine }) {
    const { files, services, commands } = ports;
    const criSocket = await findCriSocket(files, machine.criSocket);
    await assertNoOtherCa(files, caCertPath, ca);
    const kubeletVersion = machine.kubeletVersion ?? (await installedKubelet(commands));
    const complete = await completed({ files, services }, kubeletConfiguration);
    const document = patches === undefined ? complete : await patched(complete, patches, ports);
    const { cgroupDriver } = document;
    if (patches !== undefined && (cgroupDriver === 'systemd' || cgroupDriver === 'cgroupfs'))
      await assertCgroupDriver(ports, cgroupDriver, { criSocket, kubeletVersion: Promise.resolve(kubeletVersion) });
    const yaml = yamlOf(document);
    const flags = kubeadmFlags({ ...machine, criSocket, kubeletVersion });
    await installFiles('kubelet', { files, services }, [
      { path: caCertPath, content: ca, mode: 0o644 },
      { path: paths.kubelet, directory: 0o700 },
      { path: paths.kubeletConfig, content: yaml, mode: 0o644 },
      ...(configSource === undefined ? [] : [{ path: paths.kubeletInitConfig, content: yaml, mode: 0o644 }]),
      { path: paths.kubeadmFlags, content: flags, mode: 0o644 },
    ]);
    return {};
  },
});

/** kubeadm keeps a CA file that is there, whatever is in it; then kubelet and cluster do not know each other. */
async function assertNoOtherCa(files: Files, path: string, ca: string): Promise<void> {
  const there = (await files.read(path))?.toString('utf8');
  if (there === undefined || there.trim() === ca.trim()) return;
  const [found, wanted] = [pinsOf(there), pinsOf(ca)];
  if (found.join() !== wanted.join())
    throw fail('E_CA_FILE_DIFFERS', { path, found: found.join(' ') || 'no certificate', wanted: wanted.join(' ') });
}

/** None where one of them is damaged. */
function pinsOf(pem: string): string[] {
  try {
    return readCertificates(pem).map(({ pin }) => pin);
  } catch {
    return [];
  }
}
