/** The parts of a real machine that changes are applied to and that queries are answered from. */
import { MachineCommands } from './commands.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
import type { EtcdClient } from './etcd/client.ts';
import { MachineFiles } from './files.ts';
import { Mounts } from './mounts.ts';
import { MachineServices } from './services.ts';

export interface Machine {
  files: MachineFiles;
  commands: MachineCommands;
  services: MachineServices;
  mounts: Mounts;
  /** Loaded on the first call: gRPC takes a while to load, and few phases need it. */
  runtime(): Promise<ContainerRuntime>;
  /** Loaded on the first call: only control planes need it. */
  etcd(): Promise<EtcdClient>;
}

/** `root` is `/` for this machine, or the directory that holds another one. */
export function machineAt(root: string, now: () => Date = () => new Date()): Machine {
  const commands = new MachineCommands(root);
  let runtime: Promise<ContainerRuntime> | undefined;
  let etcd: Promise<EtcdClient> | undefined;
  return {
    files: new MachineFiles(root),
    commands,
    services: new MachineServices(commands),
    mounts: new Mounts(root),
    runtime() {
      runtime ??= import('./cri/runtime.ts').then((module) => new module.ContainerRuntime(root));
      return runtime;
    },
    etcd() {
      etcd ??= import('./etcd/client.ts').then((module) => new module.EtcdClient(now));
      return etcd;
    },
  };
}
