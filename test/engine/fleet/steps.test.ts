/** The steps of one machine, on scratch machines beside a sandbox. */
import { expect, test } from 'vitest';
import { fleetScene, joinMachine } from '../../helpers/fleet.ts';

const MINUTE = { timeout: 120_000 };

const tokensOf = (secrets: readonly { metadata: { name: string } }[], own: string): string[] =>
  secrets.map(({ metadata }) => metadata.name).filter((name) => !name.endsWith(own));

test(
  'several machines join at the same time, each with a token of its own, which is gone afterwards',
  MINUTE,
  async () => {
    const { sandbox, steps, context } = await fleetScene({ hosts: 2 });
    const events = await Promise.all([0, 1].map((number) => joinMachine(steps, context(number))));
    for (const [number, seen] of events.entries()) {
      expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, index) => index + 1));
      expect(seen.at(-1)).toMatchObject({ type: 'run.ended', status: 'succeeded', machine: `w${number + 1}` });
      expect(await steps.verify(context(number))).toEqual({
        node: `w${number + 1}`,
        uid: sandbox.store.get('nodes', `w${number + 1}`)?.metadata.uid,
      });
      expect(await steps.inspect(context(number))).toEqual({ state: 'joined', run: seen[0]?.run });
    }
    expect(tokensOf(sandbox.store.list('secrets'), sandbox.token.slice(0, 6))).toEqual([]);
  },
);
