import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkForAllHosts } from '../../engine/environment/check.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import explanationSchema from '../../schemas/pipeline-explanation.schema.json' with { type: 'json' };
import validationSchema from '../../schemas/pipeline-validation.schema.json' with { type: 'json' };
import { catalog, registry } from '../helpers/app.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { cli, project, scene } from './cli.ts';

const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };
const GIVEN = {
  endpoint: '10.0.0.1:6443',
  token: 'abcdef.0123456789abcdef',
  discoveryTokenCaCertHash: [`sha256:${'0a'.repeat(32)}`],
};
const HEAD = 'apiVersion: joinery.dev/v1\nkind: Environment\nmetadata: { name: site }\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'environments-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

async function planWith(names: string[], given: Record<string, unknown> = GIVEN) {
  const { pipeline } = (await catalog.openTracked('join-worker', names)).resolveFor(HOST);
  return planOf(pipeline, registry, given, HOST);
}

const minutes = (count: number): number => count * 60_000;

describe('an environment that ships', () => {
  test('is one of those that the documents name, each with a comment and a description', async () => {
    const files = (await readdir(join(project, 'environments'))).sort();
    const text = await readFile(join(project, 'docs/environments.md'), 'utf8');
    expect([...text.matchAll(/\]\(\.\.\/environments\/(.*?)\)/g)].map(([, name]) => name).sort()).toEqual(files);
    for (const file of files)
      expect(await readFile(join(project, 'environments', file), 'utf8')).toMatch(/^# .*Use it .*\n.*description: /s);
  });

  test.each<[string, Record<string, number>, unknown]>([
    ['bare-metal', { 'kubelet-start': minutes(5), 'node-ready': minutes(15) }, 'ready'],
    [
      'cloud',
      { discovery: 10_000, 'tls-bootstrap': minutes(2), 'kubelet-start': minutes(1), 'node-ready': minutes(3) },
      'registered',
    ],
    ['air-gapped', { 'tls-bootstrap': minutes(60), 'node-ready': minutes(30) }, 'ready'],
    ['hardened', { 'tls-bootstrap': minutes(10), 'node-ready': minutes(5) }, 'registered'],
    [
      'edge',
      { discovery: minutes(1), 'tls-bootstrap': minutes(30), kubeconfig: minutes(10), 'node-ready': minutes(60) },
      'registered',
    ],
  ])('%s gives the steps its time', async (name, limits, wait) => {
    const { steps, inputs } = await planWith([name]);
    expect(
      Object.fromEntries(steps.filter(({ id }) => id in limits).map(({ id, timeoutMs }) => [id, timeoutMs])),
    ).toEqual(limits);
    expect(inputs.wait).toBe(wait);
  });

  test('edge tries for about a day', async () => {
    const { steps } = await planWith(['edge']);
    const triedMs = (id: string): number => {
      const { retry, totalMs = Number.POSITIVE_INFINITY } = steps.find((step) => step.id === id) ?? {};
      const { attempts = 0, initialMs = 0, factor = 1, capMs = 0 } = retry ?? {};
      const pausesMs = Array.from({ length: attempts - 1 }, (_, index) =>
        Math.min(initialMs * factor ** index, capMs),
      ).reduce((a, b) => a + b, 0);
      return Math.min(pausesMs, totalMs);
    };
    for (const id of ['discovery', 'cluster-config', 'preflight-cluster', 'tls-bootstrap', 'node-ready']) {
      expect(triedMs(id) / 3_600_000, id).toBeGreaterThan(23);
      expect(triedMs(id) / 3_600_000, id).toBeLessThan(26);
    }
  });

  test('hardened joins nothing without a pin, and nobody can say otherwise', async () => {
    const { discoveryTokenCaCertHash: _, ...unpinned } = GIVEN;
    expect(await joinErrorOf(() => planWith(['hardened'], unpinned))).toMatchObject({
      code: 'E_INPUT',
      message: expect.stringContaining('--discovery-token-ca-cert-hash is missing'),
    });
    for (const flag of [
      '--discovery-token-unsafe-skip-ca-verification',
      '--ignore-preflight-errors=Swap',
      '--discovery-file=/x',
    ])
      expect(await cli(['run', '--env', 'hardened', '10.0.0.1:6443', flag])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`unknown flag ${flag.split('=')[0]}`),
      });
  });
});

describe('docs/environments.md', () => {
  test('shows environments that fit the pipeline that ships, on every machine', async () => {
    const text = await readFile(join(project, 'docs/environments.md'), 'utf8');
    const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block ?? '');
    expect(blocks.length).toBe(4);
    for (const block of blocks) {
      const file = await written('example.yaml', block);
      const found = checkForAllHosts(await catalog.openTracked('join-worker', [file]), registry);
      expect(found.problems, block).toEqual([]);
    }
    expect(blocks[1]).toBe(await readFile(join(project, 'test/samples/rack-label.yaml'), 'utf8'));
  });

  test('shows what explain prints', async () => {
    const text = await readFile(join(project, 'docs/environments.md'), 'utf8');
    const [, line = '', shown] = /```\n\$ join (.*)\n([^`]*)```/.exec(text) ?? [];
    const { code, stdout } = await cli(line.split(' '));
    const placeless = (told = '') => told.replace(/:\d+:\d+/g, ':LINE:COLUMN'); // the files shown are changed for other reasons
    expect({ code, stdout: placeless(stdout) }).toEqual({ code: 0, stdout: placeless(shown) });
  });

  test('has a picture of the pipeline as it is', async () => {
    const { stdout } = await cli(['pipeline', 'graph', '--format', 'svg']);
    expect(await readFile(join(project, 'docs/join-worker.svg'), 'utf8')).toBe(stdout);
  });
});

describe('join run --env', () => {
  test('does what the environment says; a resume goes on with it, and says when it has changed', async () => {
    const { args, root } = await scene();
    const step = (argv: string) =>
      `${HEAD}patches:\n  - insert:\n      before: kubelet-start\n      step: { id: own, uses: file, with: { path: /etc/own, content: ${argv} } }\n  - insert: { after: own, step: { id: stop, uses: command, with: { argv: [/bin/false], query: true } } }\n`;
    const file = await written('own.yaml', step('one'));
    const failed = await cli(args('run', '--env', file));
    expect(failed.stderr).toContain('E_COMMAND_FAILED in step stop');
    expect(await readFile(join(root, 'etc/own'), 'utf8')).toBe('one');

    await writeFile(file, step('two'));
    const changed = await cli(['resume', '--root', root]);
    expect(changed).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        new RegExp(`E_RUN_CHANGED: the environment ${file} has changed since run \\S+ was started`),
      ),
    });
    const without = await cli(args('run'));
    expect(without).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /E_RUN_UNFINISHED: run \S+ is unfinished, and was started with a different environment/,
      ),
    });

    await writeFile(file, step('one'));
    const again = await cli(['resume', '--root', root]);
    expect(again.stderr).toContain('E_COMMAND_FAILED in step stop');
  });

  test('a phase by itself has the values of the environment too', async () => {
    const { root } = await scene();
    const file = await written('name.yaml', `${HEAD}inputs: { nodeName: "\${{ host.name }}-ghent" }\n`);
    const phase = ['phase', 'preflight', '--dry-run', '--output', 'json', '--root', root];
    const named = async (words: string[]) =>
      (JSON.parse((await cli([...phase, ...words])).stdout) as { nodeName: string }).nodeName;
    expect([await named([]), await named(['--env', file]), await named(['--env', file, '--node-name', 'w3'])]).toEqual([
      'w1',
      'w1-ghent',
      'w3',
    ]);
  });
});

describe('join pipeline', () => {
  test('list shows what ships', async () => {
    const { stdout } = await cli(['pipeline', 'list', '--output', 'json']);
    const listed = JSON.parse(stdout) as { environments: { name: string; description: string }[] };
    expect(listed).toMatchObject({ kind: 'PipelineList', pipelines: [{ name: 'join-worker' }] });
    expect(listed.environments.map(({ name }) => name)).toEqual([
      'air-gapped',
      'bare-metal',
      'cloud',
      'edge',
      'hardened',
    ]);
    expect((await cli(['pipeline', 'list'])).stdout).toContain(
      '--env hardened          No join without a pinned CA key',
    );
  });

  test('show prints the pipeline with its environments as a pipeline that could be run', async () => {
    const { stdout } = await cli(['pipeline', 'show', '--env', 'bare-metal']);
    const file = await written('shown.yaml', stdout);
    expect(await cli(['pipeline', 'validate', file])).toMatchObject({
      code: 0,
      stdout: `${file}: 12 steps, no problems\n`,
    });
    expect(stdout).toContain('    timeout: 15m\n');
  });

  test('validate tells each problem with its lines, as JSON, and as SARIF', async () => {
    const file = await written('wrong.yaml', `${HEAD}patches:\n  - step: prefligt\n    merge: { timeout: 1m }\n`);
    const text = await cli(['pipeline', 'validate', '--env', file]);
    expect(text).toMatchObject({
      code: 3,
      stderr: `
E_PIPELINE:
  ${file}:5:11: there is no step prefligt; did you mean preflight?
      4 | patches:
    > 5 |   - step: prefligt
        |           ^^^^^^^^
      6 |     merge: { timeout: 1m }
  → The language is described in schemas/pipeline.schema.json; join pipeline validate FILE checks without running.
`,
    });
    const json = await cli(['pipeline', 'validate', '--env', file, '--output', 'json']);
    const validate = new Ajv2020({ strict: false }).compile(validationSchema);
    expect(validate(JSON.parse(json.stdout)), JSON.stringify(validate.errors)).toBe(true);
    expect(json.code).toBe(3);
    const sarif = await cli(['pipeline', 'validate', '--env', file, '--output', 'sarif']);
    expect(JSON.parse(sarif.stdout)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'joinery', rules: [{ id: 'unknown-step' }] } },
          results: [
            {
              ruleId: 'unknown-step',
              ruleIndex: 0,
              level: 'error',
              message: { text: 'there is no step prefligt; did you mean preflight?' },
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: `file://${file}` },
                    region: { startLine: 5, startColumn: 11 },
                  },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test('explain says of every value where it comes from: file, variable, flag, configuration', async () => {
    const config = await written(
      'config.yaml',
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery:\n  bootstrapToken: { token: abcdef.0123456789abcdef, apiServerEndpoint: "10.0.0.1:6443", unsafeSkipCAVerification: true }\n',
    );
    const words = [
      'pipeline',
      'explain',
      '--env',
      'cloud',
      '--config',
      config,
      '--tls-bootstrap-mode',
      'kubelet',
      '--output',
      'json',
    ];
    const { code, stdout, stderr } = await cli(words, { JOINERY_WAIT: 'ready' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('0123456789abcdef');
    const explanation = JSON.parse(stdout) as {
      values: { path: string[]; value: unknown; origin: object; over: object[] }[];
    };
    const validate = new Ajv2020({ strict: false }).compile(explanationSchema);
    expect(validate(explanation), JSON.stringify(validate.errors)).toBe(true);
    const at = (...path: string[]) => explanation.values.find((row) => row.path.join() === path.join());
    expect(at('values', 'wait')).toMatchObject({
      value: 'ready',
      origin: { kind: 'variable', name: 'JOINERY_WAIT' },
      over: [
        { value: 'registered', origin: { file: 'cloud.yaml' } },
        { value: 'registered', origin: { file: 'join-worker.yaml' } },
      ],
    });
    expect(at('values', 'tlsBootstrapMode')).toMatchObject({
      value: 'kubelet',
      origin: { kind: 'flag', name: '--tls-bootstrap-mode' },
    });
    expect(at('values', 'endpoint')).toMatchObject({
      value: '10.0.0.1:6443',
      origin: { kind: 'file', file: config, line: 4 },
    });
    expect(at('values', 'tlsBootstrapToken')).toMatchObject({ value: '***', origin: { file: config, line: 4 } });
    expect(at('steps', 'node-ready', 'timeout')).toMatchObject({ value: '3m', over: [{ value: '5m' }] });
    expect(at('steps', 'kubeconfig', 'timeout')).toMatchObject({
      value: '5m',
      origin: { kind: 'default', of: 'Joinery' },
    });
  });

  test('explain names the nearest where there is nothing', async () => {
    expect(await cli(['pipeline', 'explain', 'steps.node-redy.timeout'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is nothing at steps.node-redy; did you mean node-ready?'),
    });
  });

  test('graph draws text, Mermaid and DOT', async () => {
    const text = await cli(['pipeline', 'graph', '--env', join(project, 'test/samples/rack-label.yaml')]);
    expect(text.stdout).toBe(`join-worker
├─ preflight
├─ discovery (discovery-file or discovery-token)
│  └─ cluster-config  also after preflight
│     └─ preflight-cluster  also after kubelet-version
│        └─ tls-bootstrap
│           └─ kubeconfig
│              └─ kubelet-config
│                 └─ rack-label (command)
│                    └─ kubelet-start
│                       └─ kubelet-wait-bootstrap
│                          └─ node-ready
│                             └─ dynamic-kubelet-config
└─ kubelet-version
`);
    const mermaid = await cli(['pipeline', 'graph', '--format', 'mermaid']);
    expect(mermaid.stdout).toMatch(
      /^flowchart LR\n {2}preflight\["preflight"\]\n[\s\S]*\n {2}preflight --> cluster-config\n/,
    );
    const dot = await cli(['pipeline', 'graph', '--format', 'dot']);
    expect(dot.stdout).toMatch(
      /^digraph "join-worker" \{\n[\s\S]*\n {2}"preflight" -> "cluster-config";\n[\s\S]*\n\}\n$/,
    );
  });
});
