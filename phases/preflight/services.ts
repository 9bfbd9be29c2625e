/** Checks a service like kubeadm: a missing or disabled service is a warning. */
import type { ServiceStatus } from '../../engine/sdk/index.ts';
import { type Finding, ok, problem } from './check.ts';

export function serviceFindings(name: string, { manager, exists, enabled }: ServiceStatus): Finding[] {
  const warning = (evidence: string, hint: string) => [problem(evidence, { severity: 'warning', hint })];
  if (manager === 'none')
    return warning('there is no systemd and no OpenRC', `Start the ${name} yourself, now and after each reboot.`);
  if (!exists)
    return warning(`${manager} has no service ${name}`, `apt-get install ${name}, or your distribution's package`);
  if (enabled) return [ok(`${manager} has the service ${name}, and it is enabled`)];
  const enable = manager === 'systemd' ? `systemctl enable ${name}.service` : `rc-update add ${name} default`;
  return warning(`the ${name} will not start after a reboot`, enable);
}
