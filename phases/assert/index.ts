/** Ends the run where something is not as it must be. */
import { definePhase, fail } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'assert',
  summary: 'Go on only where a condition holds',
  input,
  output,
  effects: [],

  async run(_, { that, message }) {
    if (!that) throw fail('E_ASSERT', { message });
    return {};
  },
});
