/** The ports that a phase gets: one attempt's view of a host, limited to the effects of the phase. */
import type { Ports } from '../../sdk/ports.ts';
import { Attempt, type PortsOptions } from './attempt.ts';
import { clockPort } from './clock.ts';
import { commandsPort } from './commands.ts';
import { filesPort } from './files.ts';
import { kubePort } from './kube.ts';
import { logPort } from './log.ts';
import { mountsPort } from './mounts.ts';
import { randomPort } from './random.ts';
import { runtimePort } from './runtime.ts';
import { servicesPort } from './services.ts';
import { webPort } from './web.ts';

export type { PortsOptions } from './attempt.ts';

export function composePorts(options: PortsOptions): Ports {
  const attempt = new Attempt(options);
  return {
    signal: options.signal,
    files: filesPort(attempt),
    services: servicesPort(attempt),
    commands: commandsPort(attempt),
    mounts: mountsPort(attempt),
    runtime: runtimePort(attempt),
    web: webPort(attempt),
    kube: kubePort(attempt),
    clock: clockPort(attempt),
    random: randomPort(attempt),
    log: logPort(attempt),
  };
}
