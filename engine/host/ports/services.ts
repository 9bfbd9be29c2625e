import { defined } from '../../sdk/fields.ts';
import type { ServiceAction, Services } from '../../sdk/ports.ts';
import type { GuardedHost } from './guarded-host.ts';

export function servicesPort(guarded: GuardedHost): Services {
  const control = (name: string, action: ServiceAction) => guarded.change({ kind: 'service', name, action });
  return {
    status: (name) => guarded.read({ kind: 'service', name }),
    unit: (name) => guarded.read({ kind: 'unit', name }),
    lastError: (service) => guarded.options.host.read({ kind: 'last-error', service }, guarded.options.signal),
    start: (name) => control(name, 'start'),
    stop: (name) => control(name, 'stop'),
    restart: (name) => control(name, 'restart'),
    reload: (name) => control(name, 'reload'),
    reloadService: (name) => control(name, 'reload-service'),
    enable: (name, enabled) => control(name, enabled ? 'enable' : 'disable'),
    mask: (name, masked) => control(name, masked ? 'mask' : 'unmask'),
    async waitHealthy(service, url, program) {
      guarded.permissions.requireHealthUrl(url);
      await guarded.wait(service, { kind: 'healthy', service, url, ...defined({ program }) });
    },
  };
}
