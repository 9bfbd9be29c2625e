import { describe, expect, test } from 'vitest';
import { loadPipeline } from '../../../engine/pipeline/load.ts';
import { planOf } from '../../../engine/pipeline/plan.ts';
import { Registry } from '../../../engine/pipeline/registry.ts';
import { inputOf } from '../../../engine/pipeline/values.ts';
import { definePhase, type Gate, gateLine, parseGates } from '../../../engine/sdk/index.ts';
import { registry as shipped } from '../../helpers/app.ts';
import { joinErrorOf } from '../../helpers/errors.ts';

const gate = (name: string, change: Partial<Gate> = {}): Gate => ({
  name,
  stage: 'ALPHA',
  default: false,
  since: '1.9',
  what: `what ${name} decides`,
  ...change,
});
/** Between double quotes. */
const placeholder = (reference: string): string => `"\${{ ${reference} }}"`;
const KNOWN = [gate('CoreDNS'), gate('SelfHosting')];
const parsed = (text: string) => {
  const { values, problems } = parseGates(text, KNOWN);
  return { values: Object.fromEntries(values), problems };
};

describe('the text of feature gates', () => {
  test.each<[string, Record<string, boolean>]>([
    ['', {}],
    [' , ,', {}],
    ['CoreDNS=true', { CoreDNS: true }],
    [' CoreDNS = true , SelfHosting=false ', { CoreDNS: true, SelfHosting: false }],
    ['CoreDNS=true,CoreDNS=false', { CoreDNS: false }],
    ...['1', 't', 'T', 'TRUE', 'true', 'True'].map(
      (word) => [`CoreDNS=${word}`, { CoreDNS: true }] as [string, Record<string, boolean>],
    ),
    ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map(
      (word) => [`CoreDNS=${word}`, { CoreDNS: false }] as [string, Record<string, boolean>],
    ),
  ])('the feature gates %j have the values %j', (text, values) => {
    expect(parsed(text)).toEqual({ values, problems: [] });
  });

  test.each([
    ['CoreDNS', 'CoreDNS has no value: write CoreDNS=true or CoreDNS=false'],
    ['CoreDNS=', 'CoreDNS= is neither true nor false'],
    ['CoreDNS=yes', 'CoreDNS=yes is neither true nor false'],
    ['CoreDNS=tRUE', 'CoreDNS=tRUE is neither true nor false'],
    ['CoreDNS=a=b', 'CoreDNS=a=b is neither true nor false'],
    ['CoreDSN=true', 'unknown gate CoreDSN; did you mean CoreDNS?'],
    ['coredns', 'unknown gate coredns; known gates: CoreDNS, SelfHosting'],
    ['=true', 'unknown gate ; known gates: CoreDNS, SelfHosting'],
  ])('the feature gates %j are refused', (text, problem) => {
    expect(parsed(text)).toEqual({ values: {}, problems: [problem] });
  });

  test('all problems of feature gates are reported at once', () => {
    expect(parsed('CoreDNS=1,SelfHostin=1,SelfHosting,CoreDNS=2')).toEqual({
      values: { CoreDNS: true },
      problems: [
        'unknown gate SelfHostin; did you mean SelfHosting?',
        'SelfHosting has no value: write SelfHosting=true or SelfHosting=false',
        'CoreDNS=2 is neither true nor false',
      ],
    });
  });
});

describe('known feature gates', () => {
  test('Joinery knows the gates of kubeadm in the seed and of today, described as in their help', () => {
    expect(shipped.gates().map(gateLine)).toEqual([
      'Auditing=true|false (ALPHA - default=false)',
      'CoreDNS=true|false (ALPHA - default=false)',
      'DynamicKubeletConfig=true|false (ALPHA - default=false)',
      'HighAvailability=true|false (ALPHA - default=false)',
      'NodeLocalCRISocket=true|false (default=true)',
      'PublicKeysECDSA=true|false (DEPRECATED - default=false)',
      'RootlessControlPlane=true|false (ALPHA - default=false)',
      'SelfHosting=true|false (BETA - default=false)',
      'StoreCertsInSecrets=true|false (ALPHA - default=false)',
      'SupportIPVSProxyMode=true|false (ALPHA - default=false)',
    ]);
  });

  const hooked = (name: string, gates: Gate[]) =>
    definePhase({ name, summary: name, input: {}, output: {}, effects: [], gates, run: async () => ({}) });

  test('phases register the gates they read; several phases may share one, but not redefine it', () => {
    const registry = new Registry();
    registry.add(hooked('a', [gate('CoreDNS')]));
    registry.add(hooked('b', [gate('CoreDNS'), gate('Auditing')]));
    expect(registry.gates().map(({ name }) => name)).toEqual(['Auditing', 'CoreDNS']);
    expect(() => registry.add(hooked('c', [gate('CoreDNS', { default: true })]))).toThrow(
      'feature gate CoreDNS is defined twice: in Joinery itself and in Joinery itself',
    );
  });

  test('the registry knows which gates a phase reads', () => {
    const registry = new Registry();
    registry.add(hooked('a', [gate('CoreDNS')]));
    for (const name of ['CoreDNS', 'Auditing']) registry.addGate(gate(name));
    expect(registry.gates().map((found) => [found.name, registry.isUsed(found)])).toEqual([
      ['Auditing', false],
      ['CoreDNS', true],
    ]);
  });
});

describe('feature gates in a pipeline', () => {
  const registry = new Registry();
  registry.add(
    definePhase({
      name: 'greet',
      summary: 'greet',
      input: { type: 'object', properties: { loud: { type: 'boolean' }, text: { type: 'string' } } },
      output: { type: 'object' },
      effects: [],
      gates: [gate('LoudGreeting', { default: true }), gate('Whispering')],
      run: async () => ({}),
    }),
  );
  registry.addGate(gate('CoreDNS', { until: '1.12', what: 'init reads it' }));
  registry.addGate(gate('Auditing', { until: '1.9', what: 'init reads it' }));
  registry.addGate(gate('Rootless', { what: 'init reads it' }));
  const load = (body: string) =>
    loadPipeline('p.yaml', `apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: made }\n${body}`);
  const GATES_INPUT = 'inputs: { type: object, properties: { featureGates: { type: string } } }\n';
  const plan = (body: string, featureGates?: string) =>
    planOf(load(body), registry, featureGates === undefined ? {} : { featureGates }, {
      name: 'w1',
      privileged: true,
      architecture: 'amd64',
      distribution: 'debian',
    });
  const greet = (placeholder: string) => `steps:\n  - { id: a, uses: greet, with: { ${placeholder} } }\n`;
  const inputs = (body: string, featureGates?: string) => {
    const planned = plan(body, featureGates);
    const [step] = planned.steps;
    return step === undefined ? undefined : inputOf(planned, step, { outputs: new Map() });
  };

  test.each([
    [undefined, { loud: true }],
    ['LoudGreeting=false', { loud: false }],
    ['Whispering=true', { loud: true }],
  ])('the feature gates %j give a step the inputs %j', (featureGates, expected) => {
    expect(inputs(GATES_INPUT + greet(`loud: ${placeholder('gates.LoudGreeting')}`), featureGates)).toEqual(expected);
  });

  test('feature gates have their defaults if the pipeline has no input for them, and can be part of a text', () => {
    expect(inputs(greet(`text: "loud: \${{ gates.LoudGreeting }}"`))).toEqual({ text: 'loud: true' });
  });

  test.each([
    [
      `loud: ${placeholder('gates.LoudGreting')}`,
      ['6:41: there is no feature gate LoudGreting; did you mean LoudGreeting?'],
    ],
    [
      `text: ${placeholder('gates.Whispering')}`,
      ['6:41: text must be of type string, but this expression is of type boolean'],
    ],
  ])('a reference to a feature gate is checked before anything runs: %s', async (placeholder, problems) => {
    const { facts } = await joinErrorOf(() => plan(GATES_INPUT + greet(placeholder)));
    const found = (facts as { problems: { line: number; column: number; message: string }[] }).problems;
    expect(found.map(({ line, column, message }) => `${line}:${column}: ${message}`)).toEqual(problems);
  });

  test('a mistyped gate is reported together with the problems of other values', async () => {
    const properties = '{ token: { type: string }, featureGates: { type: string } }';
    const body = `inputs: { type: object, required: [token], properties: ${properties} }\n${greet('')}`;
    const { code, message } = await joinErrorOf(() => plan(body, 'CoreDNS,LoudGreting=true'));
    expect([code, ...message.split('\n')]).toEqual([
      'E_INPUT',
      '--token is missing',
      '--feature-gates: CoreDNS has no value: write CoreDNS=true or CoreDNS=false',
      '--feature-gates: unknown gate LoudGreting; did you mean LoudGreeting?',
    ]);
  });

  test('a gate that no phase reads is accepted with a note', () => {
    expect(plan(GATES_INPUT + greet(''), 'CoreDNS=true,Rootless=false,Auditing=true,Whispering=true').notes).toEqual([
      'the feature gate Auditing (kubeadm 1.9) has no effect on a join: init reads it',
      'the feature gate CoreDNS (kubeadm 1.9 to 1.12) has no effect on a join: init reads it',
      'the feature gate Rootless (kubeadm 1.9 and later) has no effect on a join: init reads it',
    ]);
  });
});
