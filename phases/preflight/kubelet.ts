/** The kubelet that is installed here. Whether it fits the cluster is seen when the cluster is known. */
import { bad, type Check, good } from './check.ts';
import { serviceFindings } from './services.ts';

export const kubeletChecks: Check[] = [
  {
    name: 'KubeletVersion',
    severity: 'error',
    looks: '`kubelet --version` tells its version; whether it fits is for `preflight-cluster`',
    hint: "apt-get install kubelet, or your distribution's package",
    async run({ commands, given, kubeletVersion }) {
      if (given.askKubelet) return good(`the kubelet is ${await kubeletVersion()}`);
      const path = await commands.find('kubelet');
      return path === undefined ? bad('kubelet is not on PATH') : good(path);
    },
  },
  {
    name: 'Service-Kubelet',
    severity: 'warning',
    looks: 'systemd or OpenRC knows the service, and starts it after a reboot',
    hint: 'systemctl enable kubelet.service, or rc-update add kubelet default',
    run: async ({ services }) => serviceFindings('kubelet', await services.status('kubelet')),
  },
];
