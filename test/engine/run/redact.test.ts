import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Journal, type JournalStore } from '../../../engine/journal/journal.ts';
import { memoryStore } from '../../../engine/journal/memory.ts';
import { generateKeyPem } from '../../../engine/pki/index.ts';
import { Redactor } from '../../../engine/run/redact.ts';
import { run, undo } from '../../../engine/run/run.ts';
import { fail, type Ports, runs, type Schema, Secret, writes } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { printedForms } from '../../helpers/errors.ts';
import { planOfSteps, type TestStep } from '../../helpers/plans.ts';

const HALF = 'canary0123456789';
const TOKEN = `abcdef.${HALF}`;
const knowing = (...secrets: string[]): Redactor => {
  const redactor = new Redactor();
  redactor.learn({ list: secrets.map((secret) => new Secret(secret)) });
  return redactor;
};

describe('a redacted text', () => {
  const key = generateKeyPem();
  test.each([
    ['a secret', `x ${TOKEN} y`, 'x *** y'],
    ['the random half of a token', `?secret=${HALF}`, '?secret=***'],
    ['a key', `\n${key}\n`, '\n***\n\n'],
    ['a key in JSON', JSON.stringify({ key }), '{"key":"***\\n"}'],
    ['a line of a key', `- ${key.split('\n')[1]}`, '- ***'],
    ['a secret in base64', Buffer.from(TOKEN.slice(0, 21)).toString('base64'), '***'],
    ['a secret in hexadecimal digits', Buffer.from(TOKEN).toString('hex'), '***'],
    ['a secret in a URL', `/x?key=${encodeURIComponent('pass/word äöü')}`, '/x?key=***'],
  ])('a redacted text does not show %s', (_, said, redacted) => {
    expect(knowing(TOKEN, key, 'pass/word äöü').redact(said)).toBe(redacted);
  });

  test('a redacted text does not show a secret in base64 at any offset', () => {
    const secret = 'canary>>>???~~~0123';
    const redactor = knowing(secret);
    const text = fc.string({ maxLength: 40 });
    fc.assert(
      fc.property(text, text, fc.constantFrom<BufferEncoding>('base64', 'base64url'), (before, behind, encoding) => {
        const redacted = redactor.redact(Buffer.from(before + secret + behind).toString(encoding));
        expect(redacted).toContain('***');
        const left = Buffer.from(redacted.split('***').join(''), encoding).toString('latin1');
        expect(left).not.toContain(secret.slice(3, -3));
      }),
    );
  });

  test('a redacted text does not show the end of a secret that starts like a shorter one', () => {
    expect(knowing('canary-12', 'canary-1234').redact('x canary-1234')).toBe('x ***');
  });

  test('a redacted text has *** for each secret, from its start to its end, and the longest first', () => {
    const WORD = 'abbabaabbaababba';
    const part = fc.tuple(fc.nat(8), fc.integer({ min: 8, max: 16 }));
    const parts = fc.array(
      part.map(([from, length]) => WORD.slice(from, from + length)),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(parts, parts, (secrets, inText) => {
        const text = inText.join('a');
        const longestFirst = secrets.toSorted((a, b) => b.length - a.length);
        expect(knowing(...secrets).redact(text)).toBe(text.replaceAll(new RegExp(longestFirst.join('|'), 'g'), '***'));
        expect(knowing(...secrets).hasSecret(text)).toBe(secrets.some((secret) => text.includes(secret)));
      }),
    );
  });

  test.each([
    ['a text without one', `the id abcdef, CERTIFICATE, PRIVATE KEY-----, /etc/kubernetes/pki/ca.crt`],
    ['a secret that is too short to differ from words', 'a short one'],
  ])('a redacted text shows %s', (_, said) => {
    const kubeconfig = 'certificate-authority: /etc/kubernetes/pki/ca.crt';
    expect(knowing(TOKEN, key, 'short', kubeconfig).redact(said)).toBe(said);
  });

  test('a redacted error is the same object, with its message, details and causes redacted', () => {
    const cause = Object.assign(new Error(TOKEN), { code: 'EX', list: [{ deep: [HALF] }] });
    const error = fail(
      'E_FILE',
      { path: `/etc/${TOKEN}`, what: 'no space' },
      new AggregateError([cause], TOKEN, { cause }),
    );
    Object.assign(error, { own: error, both: [cause, cause] });
    expect(knowing(TOKEN).redact(error)).toBe(error);
    expect(error.message).toBe('/etc/***: no space');
    expect(error.facts).toEqual({ path: '/etc/***', what: 'no space' });
    expect(cause).toMatchObject({ message: '***', code: 'EX', list: [{ deep: ['***'] }] });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(HALF);
  });
});

/** A run whose steps use a token, and a journal that returns what it writes. */
async function runWith(steps: TestStep[]) {
  const events: string[] = [];
  const written: string[] = [];
  const images = memoryStore();
  const store: JournalStore = { ...images, append: async (records) => void written.push(JSON.stringify(records)) };
  const host = memoryHost({ directories: ['/etc'], outputs: { [`tool ${TOKEN}`]: {}, tool: {} } });
  const plan = { ...planOfSteps(...steps), inputs: { token: new Secret(TOKEN) } };
  const { pipeline, source, inputs } = plan;
  const start = { version: 1, id: 'x', joinery: '0', pipeline, source, inputs, host: host.facts, steps: [] };
  const journal = Journal.begin(store, host.now, start);
  const result = await run({
    plan,
    host,
    journal,
    onEvent: (event) => events.push(printedForms(event)),
  });
  return {
    result,
    events,
    written: written.join(''),
    host,
    shown: printedForms(result) + events.join('') + written.join(''),
  };
}
const EFFECTS = [writes('/etc/*', 0o600, 'x'), runs('tool', 'x')];
const change = ({ files }: Ports) => files.write('/etc/made', 'x', 0o600); // without a change, nothing is journaled

describe('a run in which a phase', () => {
  test.each<[string, (ports: Ports) => unknown]>([
    ['logs a secret', ({ log }) => [log.info(`token ${TOKEN}`), log.warn(HALF)].length && {}],
    ['throws a secret', () => Promise.reject(new Error(`bad ${TOKEN}`, { cause: new Error(HALF) }))],
    ['throws a JoinError with a secret', () => Promise.reject(fail('E_FILE', { path: TOKEN, what: HALF }))],
    ['throws a secret in an object that is not an error', () => Promise.reject({ token: [TOKEN] })],
    ['is undecided for a reason with a secret', () => Promise.reject(fail('E_UNDECIDED', { what: TOKEN }))],
    ['returns a secret in an output that is not secret', () => ({ plain: `Bearer ${TOKEN}`, list: [{ HALF }] })],
    ['writes a secret as plain text', ({ files }) => files.write('/etc/token', `x=${TOKEN}\n`, 0o600).then(() => ({}))],
  ])('no result, event or journal shows the secret of a phase that %s', async (_, act) => {
    const { shown, written } = await runWith([
      { id: 'a', effects: EFFECTS, run: async (ports) => [await change(ports), await act(ports)][1] },
    ]);
    expect(written).toContain('"step":"a"');
    expect(shown).not.toContain(HALF);
    expect(shown).toContain('a');
  });

  test('an unmarked secret output reaches the next step, and is not journaled in plain text', async () => {
    const seen: unknown[] = [];
    const { shown, result } = await runWith([
      { id: 'a', run: () => ({ plain: `Bearer ${TOKEN}` }) },
      {
        id: 'b',
        needs: ['a'],
        effects: EFFECTS,
        with: {
          kind: 'map',
          entries: [['plain', { kind: 'placeholder', expression: { kind: 'output', step: 'a', name: 'plain' } }]],
        },
        run: async (ports, input) => [seen.push(input), await change(ports)].length && {},
      },
    ]);
    expect(result.status).toBe('succeeded');
    expect(seen).toEqual([{ plain: `Bearer ${TOKEN}` }]);
    expect(shown).not.toContain(HALF);
  });

  test('a secret that a phase creates and logs is redacted', async () => {
    const { shown } = await runWith([
      {
        id: 'a',
        run: async ({ random, log }) => log.info((await random.once('key', () => 'canary-made-0')).reveal()),
      },
    ]);
    expect(shown).toContain('***');
    expect(shown).not.toContain('canary-made-0');
  });

  test.each<[string, (ports: Ports) => unknown]>([
    ['queries', ({ commands }) => commands.query(['tool', TOKEN])],
    ['changes the machine', ({ commands }) => commands.run(['tool', TOKEN], { irreversible: 'x' })],
    ['has an undo command', ({ commands }) => commands.run(['tool'], { undo: ['tool', `-t${HALF}`] })],
  ])(
    'a phase that %s with a secret on a command line is refused before the command runs or is journaled',
    async (_, act) => {
      const { result, shown, host } = await runWith([{ id: 'a', effects: EFFECTS, run: act }]);
      expect(result.error).toMatchObject({ code: 'E_SECRET_SHOWN', facts: { program: 'tool' } });
      expect(host.changes).toEqual([]);
      expect(shown).not.toContain(HALF);
    },
  );

  test('a run ends with the value that a phase throws, even if it is not an error', async () => {
    for (const odd of [undefined, null, 7, Symbol.for('x'), Object.freeze(new Error('frozen'))]) {
      const { result } = await runWith([{ id: 'a', run: () => Promise.reject(odd) }]);
      expect(result.status).toBe('failed');
      expect(result.error).toBe(odd ?? result.error);
    }
  });
});

test('a phase whose input comes from a journal has text where it expects text', async () => {
  const input: Schema = { type: 'object', properties: { token: { type: 'string', writeOnly: true } } };
  const value = { token: TOKEN, header: `Bearer ${TOKEN}` };
  const plan = planOfSteps({ id: 'a', input, value, run: change, effects: EFFECTS });
  const seen: unknown[] = [];
  for (const { phase } of plan.steps) phase.undo = async (_, received) => void seen.push(received);
  const host = memoryHost({ directories: ['/etc'] });
  const { pipeline, source, inputs } = plan;
  const start = { version: 1, id: 'x', joinery: '0', pipeline, source, inputs, host: host.facts, steps: ['a'] };
  const journal = Journal.begin(memoryStore(), host.now, start);
  await run({ plan, host, journal });
  expect(printedForms(journal.history().steps.get('a'))).not.toContain(HALF);
  await undo({ plan, host, journal });
  expect(seen).toEqual([{ token: expect.any(Secret), header: `Bearer ${TOKEN}` }]);
});

test.each([
  [0o600, false],
  [0o644, true],
])('an undo shows later changes of a file only if every user may read the file: mode %o', async (mode, isShown) => {
  const effects = [writes('/etc/*', undefined, 'x')];
  const plan = planOfSteps({ id: 'a', effects, run: ({ files }) => files.write('/etc/made', 'ours\n', mode) });
  const host = memoryHost({ directories: ['/etc'] });
  const { pipeline, source, inputs } = plan;
  const start = { version: 1, id: 'x', joinery: '0', pipeline, source, inputs, host: host.facts, steps: ['a'] };
  const journal = Journal.begin(memoryStore(), host.now, start);
  await run({ plan, host, journal });
  const content = Buffer.from('password: of-another-user\n');
  await host.apply({ kind: 'file', path: '/etc/made', content, mode, secret: false }, new AbortController().signal);
  const events: string[] = [];
  await undo({ plan, host, journal, onEvent: (event) => events.push(printedForms(event)) });
  expect(events.join('')).toContain('it has changed since the run');
  expect(events.join('').includes('of-another-user')).toBe(isShown);
});
