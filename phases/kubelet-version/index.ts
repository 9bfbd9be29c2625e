/**
 * Determines the version of the installed kubelet. It is a step of its own, because other steps need not wait 0.1 s for
 * it.
 */
import { installedKubelet } from '../../engine/node/index.ts';
import { definePhase, runs } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubelet-version',
  summary: 'Determine the version of the installed kubelet',
  input,
  output,
  effects: [runs('kubelet', 'its version determines its flags')],

  async run({ commands, log }) {
    const kubeletVersion = await installedKubelet(commands);
    log.info(`the kubelet has version ${kubeletVersion}`);
    return { kubeletVersion };
  },
});
