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
import { type ContractCase, promisesOf } from '../../helpers/contract.ts';
import { thrownBy } from '../../helpers/errors.ts';

const CANARY = 'canary-9e2d';
const TITLES = [
  'describes each of its inputs, and says what it declares with inputs it has',
  'does in a run what its dry run says, and declares all of it',
  'changes nothing the second time',
  'ends as it should, keeps its secrets and can be taken back, whichever of its calls fails',
  'is taken back, and goes on, wherever it is killed',
] as const;

interface Input {
  token: Secret;
}
interface Made {
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
}: Made): AnyPhase => ({
  ...{ name: 'made', summary: 'made', input, output, effects },
  run: async (ports, given) => (await run(ports, given as Input)) ?? {},
});
/** Which promises a phase breaks. */
async function brokenBy(made: Made, contract: Partial<ContractCase> = {}): Promise<string[]> {
  const machine = (): MemoryMachine => ({ directories: ['/etc'], services: { kubelet: {} } });
  const promises = promisesOf(phaseOf(made), { input: { token: CANARY }, machine, secrets: [CANARY], ...contract });
  const broken: string[] = [];
  for (const { title, check } of promises)
    await check().catch(() => {
      broken.push(title);
    });
  return broken;
}
const [DESCRIBES, DECLARES, REPEATS, FAILS, KILLED] = TITLES;
const good = async ({ files }: Ports, { token }: Input) => files.write('/etc/motd', token, 0o600);

describe('the contract of phases', () => {
  test('is kept by a good phase', async () => {
    expect(
      promisesOf(phaseOf({ run: good }), { input: {}, machine: () => ({}), secrets: [] }).map(({ title }) => title),
    ).toEqual(TITLES);
    expect(await brokenBy({ run: good })).toEqual([]);
  });

  let count = 0;
  test.each<[string, Made, string[]]>([
    [
      'does not describe an input',
      { run: good, input: { type: 'object', properties: { token: { type: 'string', writeOnly: true } } } },
      [DESCRIBES],
    ],
    [
      'declares a path of an input it does not have',
      { run: good, effects: [writes('/etc/motd', 0o600, 'x'), writes('{path}', 0o600, 'x')] },
      [DESCRIBES],
    ],
    [
      'declares an impossible path',
      { run: good, effects: [writes('/etc/motd', 0o600, 'x'), writes('/etc/../x', 0o600, 'x')] },
      [DESCRIBES],
    ],
    ['does not say why', { run: good, effects: [writes('/etc/motd', 0o600, '')] }, [DESCRIBES]],
    ['does what it does not declare', { run: good, effects: [] }, [DECLARES, REPEATS, FAILS, KILLED]],
    [
      'changes something every time',
      { run: async ({ files }) => files.write('/etc/motd', String(count++), 0o600) },
      [DECLARES, REPEATS],
    ],
    [
      'does something else in a dry run',
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
      'writes a secret where others read it',
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
      'gives a secret away',
      {
        run: async (ports, input) => {
          await good(ports, input);
          return { token: input.token.reveal() };
        },
      },
      [DECLARES, REPEATS, KILLED],
    ],
    [
      'remembers what it has done, and not what the machine is like',
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
      'tells a secret in an error',
      {
        run: async (ports, input) =>
          good(ports, input).catch(() => {
            throw new Error(`cannot write ${input.token.reveal()}`);
          }),
      },
      [FAILS],
    ],
    [
      'turns every error into a bug of its own',
      {
        run: async (ports, input) =>
          good(ports, input).catch(() => {
            throw new TypeError('oops');
          }),
      },
      [FAILS],
    ],
  ])('is broken by a phase that %s', async (_, made, expected) => {
    count = 0;
    const broken = await brokenBy(made);
    expect(broken).toEqual(expected);
  });

  test('is not kept by a case in which nothing happens, unless it says so', async () => {
    const idle = { run: async ({ files }: Ports) => void (await files.read('/etc/motd')), effects: [] };
    expect(await brokenBy(idle)).toEqual([DECLARES]);
    expect(await brokenBy(idle, { changesNothing: true })).toEqual([]);
  });

  test('hands secrets to a phase as secrets', async () => {
    const { run } = phaseOf({ run: async (_, { token }) => ({ isSecret: isSecret(token) }) });
    expect(await run({} as Ports, { token: new Secret('x') })).toEqual({ isSecret: true });
    expect(
      await thrownBy(() =>
        promisesOf(phaseOf({ run: good }), { input: { token: 1 }, machine: () => ({}), secrets: [] })[1]?.check(),
      ),
    ).toMatchObject({ code: 'E_INPUT' });
  });
});
