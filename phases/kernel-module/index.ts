/** Loads kernel modules now and at each boot. Source of the file format: modules-load.d(5). */
import { loadModules } from '../../engine/node/index.ts';
import { definePhase, runs, writes } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kernel-module',
  summary: 'Load kernel modules, now and at each boot',
  input,
  output,
  effects: [
    runs('modprobe', 'loads them now'),
    writes('/etc/modules-load.d/{file}.conf', 0o644, 'loads them at each boot'),
  ],

  async run(ports, { modules, file }) {
    await loadModules(ports, modules, `/etc/modules-load.d/${file}.conf`);
    return {};
  },
});
