/** Prepares a machine for a kubelet, like the steps that guides to kubeadm list before a join. */
import type { Sdk } from '../../engine/node/sdk.ts';
import { prepareContainerd } from './containerd.ts';
import { input, output } from './schema.ts';
import { fstabWithoutSwap, turnSwapOff } from './swap.ts';

const MODULES = '/etc/modules-load.d/joinery-host-prep.conf';
const SYSCTLS = '/etc/sysctl.d/99-joinery-host-prep.conf';

export const hostPrep = (sdk: Sdk) =>
  sdk.definePhase({
    name: 'host-prep',
    summary: 'Prepare this machine for a kubelet: modules, sysctls, swap, containerd',
    input,
    output,
    effects: [
      sdk.runs('modprobe', 'loads missing modules'),
      sdk.writes(MODULES, 0o644, 'loads them at each boot'),
      sdk.runs('sysctl', 'applies settings that differ'),
      sdk.writes(SYSCTLS, 0o644, 'applies them at each boot'),
      sdk.runs('swapoff', 'the kubelet does not start with swap on'),
      sdk.runs('swapon', 'on undo'),
      sdk.writes('/etc/fstab', undefined, 'comments out swap entries'),
      sdk.runs('containerd', 'its default configuration, if it has no file'),
      sdk.writes('/etc/containerd/config.toml', undefined, 'sets SystemdCgroup and the pause image, and enables cri'),
      sdk.controls('containerd', ['restart'], 'if its configuration has changed'),
    ],

    async run(ports, { modules, sysctls, swap, containerd, ...settings }) {
      if (modules.length > 0) await sdk.node.loadModules(ports, modules, MODULES);
      if (Object.keys(sysctls).length > 0) await sdk.node.setSysctls(ports, sysctls, SYSCTLS);
      if (swap === 'off') {
        await turnSwapOff(ports);
        await fstabWithoutSwap(ports);
      }
      if (containerd) await prepareContainerd(sdk, ports, settings);
      return {};
    },
  });

export default (sdk: Sdk) => sdk.definePlugin({ phases: [hostPrep(sdk)] });
