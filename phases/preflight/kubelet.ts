/** Checks the installed kubelet. `preflight-cluster` compares its version with the cluster. */
import { type Check, ok, problem } from './check.ts';
import { serviceFindings } from './services.ts';

export const kubeletChecks: Check[] = [
  {
    name: 'KubeletVersion',
    severity: 'error',
    passesIf: '`kubelet --version` prints a version (`preflight-cluster` compares it with the cluster)',
    hint: "apt-get install kubelet, or your distribution's package",
    async run({ commands, inputs, kubeletVersion }) {
      if (inputs.standalone) return ok(`the kubelet has version ${await kubeletVersion()}`);
      const path = await commands.find('kubelet');
      return path === undefined ? problem('kubelet is not on PATH') : ok(path);
    },
  },
  {
    name: 'Service-kubelet',
    severity: 'warning',
    passesIf: 'systemd or OpenRC has the service, and starts it at boot',
    hint: 'systemctl enable kubelet.service, or rc-update add kubelet default',
    run: async ({ services }) => serviceFindings('kubelet', await services.status('kubelet')),
  },
];
