/** Applies kernel settings now and at each boot. Source of the file format: sysctl.d(5). */
import { setSysctls } from '../../engine/node/index.ts';
import { definePhase, fail, runs, writes } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'sysctl',
  summary: 'Apply kernel settings, now and at each boot',
  input,
  output,
  effects: [
    runs('sysctl', 'applies them now'),
    writes('/etc/sysctl.d/{file}.conf', 0o644, 'applies them at each boot'),
  ],

  async run(ports, { values, file }) {
    const wrong = Object.keys(values).filter((name) => !/^[\w-]+([./][\w:@-]+)+$/.test(name));
    if (wrong.length > 0)
      throw fail('E_PHASE_INPUT', {
        phase: 'sysctl',
        problems: wrong.map((name) => `${name} is not the name of a setting`),
      });
    await setSysctls(ports, values, `/etc/sysctl.d/${file}.conf`);
    return {};
  },
});
