import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadJoinConfiguration, migrateConfiguration } from '../../engine/kubeadm/index.ts';
import { loadPipeline } from '../../engine/pipeline/load.ts';
import type { JoinError, Problem } from '../../engine/sdk/errors.ts';
import { maskTokens } from '../../engine/sdk/text.ts';
import { cli } from '../bin/cli.ts';
import { printedForms } from '../helpers/errors.ts';
import { BOOTSTRAP_TOKEN, EIGHT_OF_SECRET, examples, PIECE_OF_SECRET, SECRET } from '../helpers/kubeadm.ts';

/** What a broken line can move into another field. */
const misplaced = fc
  .tuple(fc.constantFrom('', '5m ', 'x: ', '- '), fc.nat(5), fc.nat(8), fc.constantFrom('', ' y', '/z', ':1', '.', '"'))
  .map(
    ([before, start, end, after]) => `${before}${BOOTSTRAP_TOKEN.slice(start, BOOTSTRAP_TOKEN.length - end)}${after}`,
  );

function pathsIn(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]));
}

/** The document with `text` at `path`: as a value, as a key, or in place of the mapping around it. */
function withText(document: object, path: readonly (string | number)[], text: string, how: string): object {
  const copy = structuredClone(document);
  let parent = copy as Record<string | number, unknown>;
  const depth = how === 'mapping' ? path.length - 2 : path.length - 1;
  for (const key of path.slice(0, Math.max(depth, 0))) parent = parent[key] as typeof parent;
  const last = path[Math.max(depth, 0)] ?? '';
  if (how === 'key') parent[text] = parent[last];
  parent[last] = how === 'key' ? null : text;
  return copy;
}

const thrown = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe('a token in a wrong place of a kubeadm configuration', () => {
  const cases = fc.constantFrom(...Object.values(examples)).chain((text) => {
    const document = parse(text) as object;
    return fc.record({
      document: fc.constant(document),
      path: fc.constantFrom(...pathsIn(document)),
      how: fc.constantFrom('value', 'key', 'mapping'),
      text: misplaced,
      lenient: fc.boolean(),
    });
  });

  test('no error or warning quotes a token in a wrong place of a kubeadm configuration', () => {
    fc.assert(
      fc.property(cases, ({ document, path, how, text, lenient }) => {
        const broken = stringify(withText(document, path, text, how));
        const loaded = thrown(() => loadJoinConfiguration('a.yaml', broken, { lenient }));
        const printed =
          loaded instanceof Error ? printedForms(loaded) : JSON.stringify(Reflect.get(loaded as object, 'warnings'));
        expect(printed).not.toMatch(PIECE_OF_SECRET);
        const migrated = thrown(() => migrateConfiguration('a.yaml', broken, { lenient }));
        if (migrated instanceof Error) expect(printedForms(migrated)).not.toMatch(PIECE_OF_SECRET);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a token in a wrong place of a pipeline', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const wrong: [string, string][] = [
    ['the name of a phase', `steps: [{ id: a, uses: ${BOOTSTRAP_TOKEN} }]`],
    ['the id of a step', `steps: [{ id: ${BOOTSTRAP_TOKEN}, uses: preflight }]`],
    ['a time limit', `steps: [{ id: a, uses: preflight, timeout: 5m ${BOOTSTRAP_TOKEN.slice(1)} }]`],
    ['an unknown key', `steps: [{ id: a, uses: preflight, ${BOOTSTRAP_TOKEN}: 1 }]`],
    ['an expression', `steps: [{ id: a, uses: preflight, if: "${BOOTSTRAP_TOKEN}" }]`],
    ['a reference', `steps: [{ id: a, uses: preflight, if: "inputs.${SECRET}" }]`],
    ['the line above a problem', `# ${BOOTSTRAP_TOKEN.slice(2)}\nsteps: [{ id: a, uses: nothing }]`],
    ['text that is not YAML', `steps: [}\n${BOOTSTRAP_TOKEN}`],
    ['an alias', `steps: *${BOOTSTRAP_TOKEN}`],
  ];
  test.each(wrong)(
    'a token in a wrong place of a pipeline appears neither in messages, in frames, in JSON nor in SARIF: %s',
    async (_, steps) => {
      const file = join(folder, 'pipeline.yaml');
      await writeFile(file, `apiVersion: joinery.dev/v1\nkind: Pipeline\nname: a\n${steps}\n`);
      for (const output of ['text', 'json', 'sarif']) {
        const { code, stdout, stderr } = await cli(['pipeline', 'validate', file, '--output', output]);
        expect({ code, output }).toEqual({ code: 3, output });
        expect(stdout + stderr).not.toMatch(PIECE_OF_SECRET);
      }
    },
  );
});

describe('a token that is split over lines of a pipeline', { timeout: 60_000 }, () => {
  const styles: [string, (lines: string[]) => string][] = [
    ['a block scalar', (lines) => `|\n${lines.map((line) => `    ${line}`).join('\n')}`],
    ['a folded scalar', (lines) => `>-\n\n${lines.map((line) => `    ${line}`).join('\n\n')}`],
    ['a plain scalar', (lines) => lines.join('\n    ')],
    ['a quoted scalar', (lines) => `"${lines.join('\\\n    ')}"`],
    ['a quoted scalar with spaces', (lines) => `'${lines.join('\r\n    ')}'`],
    ['a comment', (lines) => `a # ${lines.join('\n  # ')}`],
  ];
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: BOOTSTRAP_TOKEN.length - 1 }), { minLength: 1, maxLength: 4 });
  const keys = fc.constantFrom('timeout', 'uses', 'if', 'unknown', 'with', 'needs', 'retry');

  test.each(styles)('a token that is split over lines appears in no error, however it is written: %s', (_, style) => {
    fc.assert(
      fc.property(cuts, keys, (cuts, key) => {
        const ends = [...cuts.sort((a, b) => a - b), BOOTSTRAP_TOKEN.length];
        const lines = ends.map((end, index) => BOOTSTRAP_TOKEN.slice(ends[index - 1] ?? 0, end));
        const step = `- id: a\n  ${key === 'uses' ? '' : 'uses: nothing\n  '}${key}: ${style(lines)}`;
        const text = `apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: a }\nsteps:\n${step}\n  extra: 1\n`;
        const problems = ((thrown(() => loadPipeline('a.yaml', text)) as JoinError).facts as { problems: Problem[] })
          .problems;
        const shown = problems.map(({ message, frame = '' }) => message + frame.replaceAll(/^[> ]+\d* \|/gm, ''));
        expect(shown.join('\n').replaceAll(/[^a-z0-9.]/gi, '')).not.toMatch(EIGHT_OF_SECRET);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a quoted text', () => {
  test.each([
    'discovery.bootstrapToken.apiServerEndpoint is missing',
    'timeouts.discovery has the wrong form "5 minutes": it must be a duration',
    'steps.discovery.outputs.certificates',
    '"node-role.kubernetes.io/worker", "api.production.example.com:6443", "10.0.0.1:6443"',
    `"sha256:${'0a'.repeat(32)}"`,
    '/etc/kubernetes/kubelet.conf',
    'kubeadm.k8s.io/v1beta4',
    'config.yaml line 12 column 3',
    'description: Join a machine.\nkind: Pipeline\nretry: 3\n  timeoutSeconds: 5',
  ])('a quoted text keeps what cannot be a token: %s', (text) => {
    expect(maskTokens(text)).toBe(text);
  });

  test.each([
    ['"otst afe02.canary7f3ac0ffee"', '"otst afe02.***"'],
    ['cafe01.canary7f', 'cafe01.***'],
    ['CAFE01.CANARY7F3AC0FFEE.', 'CAFE01.***.'],
    ['abcdef.abcdefghijklmnop', 'abcdef.***'],
    ['x..canary7f3ac0', 'x..***'],
    ['canary7f3ac0ffee', '***'],
    ['x_canary7f3ac0ffee-y', 'x_***-y'],
    ['"cafe01.canary 7f3ac0ffee"', '"*** ***"'],
    ['"cafe01.canary\\n7f3ac0ffee"', '"***\\n***"'],
    ['a: |\n  canary7\n  f3ac0ffee\nb: 1', 'a: |\n  ***\n  ***\nb: 1'],
  ])('a quoted text shows neither a token nor a piece of one: %s', (text, masked) => {
    expect(maskTokens(text)).toBe(masked);
  });
});
