/** What every guide to kubeadm has people type before they join a machine. */
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
      sdk.runs('modprobe', 'modules that are not loaded'),
      sdk.writes(MODULES, 0o644, 'they are loaded at each start'),
      sdk.runs('sysctl', 'settings that differ'),
      sdk.writes(SYSCTLS, 0o644, 'they last'),
      sdk.runs('swapoff', 'the kubelet does not start with swap on'),
      sdk.runs('swapon', 'when it is undone'),
      sdk.writes('/etc/fstab', undefined, 'lines of swap become comments'),
      sdk.runs('containerd', 'its default configuration, where there is none'),
      sdk.writes('/etc/containerd/config.toml', undefined, 'SystemdCgroup, the pause image, and cri not disabled'),
      sdk.controls('containerd', ['restart'], 'where its configuration has changed'),
    ],

    async run(ports, given) {
      const { modules, sysctls, swap, containerd } = given;
      if (modules.length > 0) await sdk.node.loadModules(ports, modules, MODULES);
      if (Object.keys(sysctls).length > 0) await sdk.node.setSysctls(ports, sysctls, SYSCTLS);
      if (swap === 'off') {
        await turnSwapOff(ports);
        await fstabWithoutSwap(ports);
      }
      if (containerd) await prepareContainerd(sdk, ports, given);
      return {};
    },
  });

export default (sdk: Sdk) => sdk.definePlugin({ phases: [hostPrep(sdk)] });
