/** Modules of the kernel, loaded now and at each start of the machine. Source of the form: modules-load.d(5). */
import { loadModules } from '../../engine/node/index.ts';
import { definePhase, runs, writes } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kernel-module',
  summary: 'Load modules of the kernel, now and for good',
  input,
  output,
  effects: [
    runs('modprobe', 'they are loaded now'),
    writes('/etc/modules-load.d/{file}.conf', 0o644, 'they are loaded at each start'),
  ],

  async run(ports, { modules, file }) {
    await loadModules(ports, modules, `/etc/modules-load.d/${file}.conf`);
    return {};
  },
});
