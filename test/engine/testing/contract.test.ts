import { describe, expect, test } from 'vitest';
import {
  type AnyPhase,
  type Effect,
  isSecret,
  type Ports,
  type Schema,
  Secret,
  writes,
} from '../../../engine/sdk/index.ts';
import type { MemoryMachine } from '../../../engine/testing/memory-host.ts';
import { type ContractCase, contractTests } from '../../helpers/contract.ts';
import { thrownBy } from '../../helpers/errors.ts';

const CANARY = 'canary-9e2d';
const TITLES = [
  'describes every input, and its effects only name inputs that exist',
  'declares every change of a run, and its dry run reports the same changes',
  'changes nothing the second time',
  'fails cleanly, keeps its secrets and can be undone, whichever of its calls fails',
  'can be undone and resumed, wherever its process is killed',
] as const;

interface Input {
  token: Secret;
}
interface PhaseParts {
  run: (ports: Ports, input: Input) => Promise<unknown>;
  effects?: Effect[];
  input?: Schema;
  output?: Schema;
}

const INPUT: Schema = {
  type: 'object',
  properties: { token: { type: 'string', writeOnly: true, description: 'A secret' } },
};
const phaseOf = ({
  run,
  effects = [writes('/etc/motd', 0o600, 'x')],
  input = INPUT,
  output = { type: 'object' },
}: PhaseParts): AnyPhase => ({
  name: 'made',
  summary: 'made',
  input,
  output,
  effects,
  run: async (ports, input) => (await run(ports, input as Input)) ?? {},
});
/** The titles of the contract tests that the phase fails. */
async function brokenBy(parts: PhaseParts, contract: Partial<ContractCase> = {}): Promise<string[]> {
  const machine = (): MemoryMachine => ({ directories: ['/etc'], services: { kubelet: {} } });
  const tests = contractTests(phaseOf(parts), { input: { token: CANARY }, machine, secrets: [CANARY], ...contract });
  const broken: string[] = [];
  for (const { title, check } of tests)
    await check().catch(() => {
      broken.push(title);
    });
  return broken;
}
const [DESCRIBES, DECLARES, REPEATS, FAILS, KILLED] = TITLES;
const good = async ({ files }: Ports, { token }: Input) => files.write('/etc/motd', token, 0o600);

describe('the phase contract', () => {
  test('a good phase passes the contract', async () => {
    expect(
      contractTests(phaseOf({ run: good }), { input: {}, machine: () => ({}), secrets: [] }).map(({ title }) => title),
    ).toEqual(TITLES);
    expect(await brokenBy({ run: good })).toEqual([]);
  });

  let count = 0;
  test.each<[string, PhaseParts, string[]]>([
    [
      'does not describe an input',
      { run: good, input: { type: 'object', properties: { token: { type: 'string', writeOnly: true } } } },
      [DESCRIBES],
    ],
    [
      'declares a path with an input that does not exist',
      { run: good, effects: [writes('/etc/motd', 0o600, 'x'), writes('{path}', 0o600, 'x')] },
      [DESCRIBES],
    ],
    [
      'declares an impossible path',
      { run: good, effects: [writes('/etc/motd', 0o600, 'x'), writes('/etc/../x', 0o600, 'x')] },
      [DESCRIBES],
    ],
    ['declares an effect without a reason', { run: good, effects: [writes('/etc/motd', 0o600, '')] }, [DESCRIBES]],
    ['makes a change that it does not declare', { run: good, effects: [] }, [DECLARES, REPEATS, FAILS, KILLED]],
    [
      'changes something every time',
      { run: async ({ files }) => files.write('/etc/motd', String(count++), 0o600) },
      [DECLARES, REPEATS],
    ],
    [
      'makes other changes in a dry run',
      {
        run: async ({ files, commands }) => {
          if ((await commands.find('kubelet')) === undefined) await files.write('/etc/motd', 'x', 0o600);
          count++;
          if (count % 2 === 0) await files.remove('/etc/motd');
        },
      },
      [DECLARES, REPEATS],
    ],
    [
      'writes a secret to a file that other users can read',
      { run: async ({ files }, { token }) => files.write('/etc/motd', token, 0o644) },
      [DECLARES],
    ],
    [
      'writes a secret as plain text',
      { run: async ({ files }, { token }) => files.write('/etc/motd', token.reveal(), 0o600) },
      [DECLARES, REPEATS, FAILS, KILLED],
    ],
    [
      'logs a secret',
      {
        run: async (ports, input) => {
          ports.log.info(`it is ${input.token.reveal()}`);
          return good(ports, input);
        },
      },
      [DECLARES, REPEATS, FAILS, KILLED],
    ],
    [
      'returns a secret as plain text',
      {
        run: async (ports, input) => {
          await good(ports, input);
          return { token: input.token.reveal() };
        },
      },
      [DECLARES, REPEATS, KILLED],
    ],
    [
      'relies on its memory instead of the state of the machine',
      {
        run: async ({ files, random }) => {
          let isFirst = false;
          await random.once('mark', () => {
            isFirst = true;
            return 'x';
          });
          if (isFirst) await files.write('/etc/motd', 'x', 0o600);
        },
      },
      [KILLED],
    ],
    ['swallows errors', { run: async (ports, input) => good(ports, input).catch(() => undefined) }, [FAILS]],
    [
      'quotes a secret in an error',
      {
        run: async (ports, input) =>
          good(ports, input).catch(() => {
            throw new Error(`cannot write ${input.token.reveal()}`);
          }),
      },
      [FAILS],
    ],
    [
      'turns every error into a TypeError',
      {
        run: async (ports, input) =>
          good(ports, input).catch(() => {
            throw new TypeError('oops');
          }),
      },
      [FAILS],
    ],
  ])('the contract finds a phase that %s', async (_, parts, expected) => {
    count = 0;
    const broken = await brokenBy(parts);
    expect(broken).toEqual(expected);
  });

  test('a case in which nothing changes fails, unless it sets changesNothing', async () => {
    const idle = { run: async ({ files }: Ports) => void (await files.read('/etc/motd')), effects: [] };
    expect(await brokenBy(idle)).toEqual([DECLARES]);
    expect(await brokenBy(idle, { changesNothing: true })).toEqual([]);
  });

  test('a phase gets secrets as Secrets', async () => {
    const { run } = phaseOf({ run: async (_, { token }) => ({ isSecret: isSecret(token) }) });
    expect(await run({} as Ports, { token: new Secret('x') })).toEqual({ isSecret: true });
    expect(
      await thrownBy(() =>
        contractTests(phaseOf({ run: good }), { input: { token: 1 }, machine: () => ({}), secrets: [] })[1]?.check(),
      ),
    ).toMatchObject({ code: 'E_INPUT' });
  });
});
