/** Settings of the kernel, now and after the next start of the machine. Source of the form: sysctl.d(5). */
import { setSysctls } from '../../engine/node/index.ts';
import { definePhase, fail, runs, writes } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'sysctl',
  summary: 'Set settings of the kernel, now and for good',
  input,
  output,
  effects: [runs('sysctl', 'they hold now'), writes('/etc/sysctl.d/{file}.conf', 0o644, 'they last')],

  async run(ports, { values, file }) {
    const wrong = Object.keys(values).filter((name) => !/^[\w-]+([./][\w:@-]+)+$/.test(name));
    if (wrong.length > 0)
      throw fail('E_PHASE_INPUT', { phase: 'sysctl', problems: wrong.map((name) => `${name} is no setting's name`) });
    await setSysctls(ports, values, `/etc/sysctl.d/${file}.conf`);
    return {};
  },
});
