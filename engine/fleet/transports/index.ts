/** The machines of a fleet, each by its transport. */
import type { Host } from '../fleet.ts';
import { execMachine } from './exec.ts';
import { localMachine } from './local.ts';
import type { Machine } from './machine.ts';
import { closeConnections, sshMachine } from './ssh.ts';
import { createSshFolder, type SshFolder } from './ssh-config.ts';

export interface Machines {
  of(host: Host): Promise<Machine>;
  /** Ends all connections. Runs on the machines continue. */
  close(): Promise<void>;
}

/** `own` is the command that starts this Joinery, for the transport `local`. */
export function openMachines(own: readonly string[]): Machines {
  let folder: Promise<SshFolder> | undefined;
  return {
    async of({ name, address, transport }) {
      switch (transport.kind) {
        case 'ssh':
          folder ??= createSshFolder();
          return sshMachine(name, address, transport, await folder);
        case 'exec':
          return execMachine(name, transport.command);
        case 'local':
          return localMachine(name, transport.root, own);
      }
    },
    async close() {
      if (folder !== undefined) await closeConnections(await folder);
      folder = undefined;
    },
  };
}
