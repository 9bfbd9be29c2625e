/** Ends the run if a condition does not hold. */
import { definePhase, fail } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'assert',
  summary: 'Fail unless a condition holds',
  input,
  output,
  effects: [],

  async run(_, { that, message }) {
    if (!that) throw fail('E_ASSERT', { message });
    return {};
  },
});
