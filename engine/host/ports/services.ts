import type { ServiceAction, Services } from '../../sdk/ports.ts';
import type { Attempt } from './attempt.ts';

export function servicesPort(attempt: Attempt): Services {
  const control = (name: string, action: ServiceAction) => attempt.change({ kind: 'service', name, action });
  return {
    status: (name) => attempt.read({ kind: 'service', name }),
    unit: (name) => attempt.read({ kind: 'unit', name }),
    lastError: (service) => attempt.options.host.read({ kind: 'last-error', service }, attempt.options.signal),
    start: (name) => control(name, 'start'),
    stop: (name) => control(name, 'stop'),
    restart: (name) => control(name, 'restart'),
    reload: (name) => control(name, 'reload'),
    reloadService: (name) => control(name, 'reload-service'),
    enable: (name, enabled) => control(name, enabled ? 'enable' : 'disable'),
    mask: (name, masked) => control(name, masked ? 'mask' : 'unmask'),
    async waitHealthy(service, url) {
      attempt.permissions.requireHealthUrl(url);
      await attempt.wait(service, { kind: 'healthy', service, url });
    },
  };
}
