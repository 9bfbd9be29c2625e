/**
 * Checks a service like kubeadm: a missing or disabled service is a warning. One that cannot be started is an error,
 * because the join would fail after it has requested a certificate.
 */
import type { ServiceStatus } from '../../engine/sdk/index.ts';
import { type Finding, ok, problem } from './check.ts';

export function serviceFindings(name: string, status: ServiceStatus): Finding[] {
  const { manager, exists, enabled, masked = false, unusable } = status;
  const warning = (evidence: string, hint: string) => [problem(evidence, { severity: 'warning', hint })];
  const error = (evidence: string, hint: string) => [problem(evidence, { severity: 'error', hint })];
  if (manager === 'none')
    return warning('there is no systemd and no OpenRC', `Start the ${name} yourself, now and after each reboot.`);
  if (masked) return error(`the service ${name} is masked, so it cannot be started`, `systemctl unmask ${name}`);
  if (!exists)
    return warning(`${manager} has no service ${name}`, `apt-get install ${name}, or your distribution's package`);
  if (unusable !== undefined)
    return error(`the service ${name} cannot be started: ${unusable}`, `systemctl status ${name}`);
  if (enabled) return [ok(`${manager} has the service ${name}, and it is enabled`)];
  const enable = manager === 'systemd' ? `systemctl enable ${name}.service` : `rc-update add ${name} default`;
  return warning(`the ${name} will not start after a reboot`, enable);
}
