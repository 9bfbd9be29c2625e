/** The parts of a real machine that changes are applied to and that queries are answered from. */
import { MachineCommands } from './commands.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
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
}

/** `root` is `/` for this machine, or the directory that holds another one. */
export function machineAt(root: string): Machine {
  const commands = new MachineCommands(root);
  let runtime: Promise<ContainerRuntime> | undefined;
  return {
    files: new MachineFiles(root),
    commands,
    services: new MachineServices(commands),
    mounts: new Mounts(root),
    runtime() {
      runtime ??= import('./cri/runtime.ts').then((module) => new module.ContainerRuntime(root));
      return runtime;
    },
  };
}
