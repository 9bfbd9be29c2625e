/** Writes the static Pods of a control plane except that of etcd. Source: kubeadm, phases/controlplane. */
import { controlPlaneSettings, patchedManifest, paths, secondsOf } from '../../engine/node/index.ts';
import { definePhase, type Files, Secret, writes } from '../../engine/sdk/index.ts';
import { apiServer, controllerManager, scheduler } from './components.ts';
import { input, output } from './schema.ts';
import { optionalCaDirectories } from './volumes.ts';

export default definePhase({
  name: 'control-plane-manifests',
  summary: 'Write the static Pods of the API server, the controller manager and the scheduler',
  input,
  output,
  effects: [
    writes(paths.manifests, 0o700, 'the directory that the kubelet starts static Pods from'),
    writes(`${paths.manifests}/kube-apiserver.yaml`, 0o600, 'the API server'),
    writes(`${paths.manifests}/kube-controller-manager.yaml`, 0o600, 'the controller manager'),
    writes(`${paths.manifests}/kube-scheduler.yaml`, 0o600, 'the scheduler'),
  ],

  async run({ files, web, log }, { certificatesDir, clusterConfiguration, startTimeout, patches, ...endpoint }) {
    const settings = controlPlaneSettings(clusterConfiguration);
    const proxyVariables = await web.proxyVariables();
    // A proxy may have a password. Other manifests stay readable in the plan.
    const hasPassword = proxyVariables.some(({ value }) => value.includes('@'));
    const machine = {
      ...endpoint,
      proxyVariables,
      certificatesDir,
      startSeconds: secondsOf(startTimeout),
      hasCaKey: (await files.stat(`${certificatesDir}/ca.key`)) !== undefined,
      caDirectories: await existing(files, optionalCaDirectories(settings.version)),
    };
    await files.directory(paths.manifests, 0o700);
    for (const component of [apiServer, controllerManager, scheduler]) {
      const pod = component(settings, machine);
      const manifest = await patchedManifest({ files, log }, pod, { version: settings.version, patches });
      await files.write(`${paths.manifests}/${pod.name}.yaml`, hasPassword ? new Secret(manifest) : manifest, 0o600);
    }
    return {};
  },
});

async function existing<T extends { hostPath: string }>(files: Files, mounts: readonly T[]): Promise<T[]> {
  const found: T[] = [];
  for (const mount of mounts) if ((await files.stat(mount.hostPath)) !== undefined) found.push(mount);
  return found;
}
