/** Which kubelet is installed. A step of its own, because asking takes a tenth of a second that nothing else has to wait for. */
import { installedKubelet } from '../../engine/node/index.ts';
import { definePhase, runs } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'kubelet-version',
  summary: 'Ask the installed kubelet for its version',
  input,
  output,
  effects: [runs('kubelet', 'its version decides its flags')],

  async run({ commands, log }) {
    const kubeletVersion = await installedKubelet(commands);
    log.info(`the kubelet is ${kubeletVersion}`);
    return { kubeletVersion };
  },
});
