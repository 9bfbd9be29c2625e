/** The ports that a phase gets: one attempt's view of a host, limited to the effects of the phase. */
import type { Ports } from '../../sdk/ports.ts';
import { clockPort } from './clock.ts';
import { commandsPort } from './commands.ts';
import { etcdPort } from './etcd.ts';
import { filesPort } from './files.ts';
import { GuardedHost, type PortsOptions } from './guarded-host.ts';
import { kubePort } from './kube.ts';
import { logPort } from './log.ts';
import { mountsPort } from './mounts.ts';
import { randomPort } from './random.ts';
import { runtimePort } from './runtime.ts';
import { servicesPort } from './services.ts';
import { webPort } from './web.ts';

export type { PortsOptions } from './guarded-host.ts';

export function composePorts(options: PortsOptions): Ports {
  const guarded = new GuardedHost(options);
  return {
    signal: options.signal,
    files: filesPort(guarded),
    services: servicesPort(guarded),
    commands: commandsPort(guarded),
    mounts: mountsPort(guarded),
    runtime: runtimePort(guarded),
    web: webPort(guarded),
    kube: kubePort(guarded),
    etcd: etcdPort(guarded),
    clock: clockPort(guarded),
    random: randomPort(guarded),
    log: logPort(guarded),
  };
}
