/** Services, as kubeadm looks at them: missing or disabled is worth a warning. */
import type { ServiceStatus } from '../../engine/sdk/index.ts';
import { bad, type Finding, good } from './check.ts';

export function serviceFindings(name: string, { manager, exists, enabled }: ServiceStatus): Finding[] {
  const warning = (evidence: string, hint: string) => [bad(evidence, { severity: 'warning', hint })];
  if (manager === 'none')
    return warning('there is no systemd and no OpenRC here', `Start the ${name} yourself, now and after each reboot.`);
  if (!exists)
    return warning(`${manager} knows no service ${name}`, `apt-get install ${name}, or your distribution's package`);
  if (enabled) return [good(`${manager} has the service ${name}, enabled`)];
  const enable = manager === 'systemd' ? `systemctl enable ${name}.service` : `rc-update add ${name} default`;
  return warning(`the ${name} will not come back after a reboot`, enable);
}
