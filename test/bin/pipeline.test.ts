import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import explanationSchema from '../../schemas/pipeline-explanation.schema.json' with { type: 'json' };
import validationSchema from '../../schemas/pipeline-validation.schema.json' with { type: 'json' };
import { cli, project, scene } from './cli.ts';

const HEAD = 'apiVersion: joinery.dev/v1\nkind: Environment\nmetadata: { name: site }\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pipelines-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('join pipeline', () => {
  test('pipeline list prints the shipped pipelines and environments', async () => {
    const { stdout } = await cli(['pipeline', 'list', '--output', 'json']);
    const listed = JSON.parse(stdout) as { environments: { name: string; description: string }[] };
    expect(listed).toMatchObject({
      kind: 'PipelineList',
      pipelines: [{ name: 'join-control-plane' }, { name: 'join-worker' }],
    });
    expect(listed.environments.map(({ name }) => name)).toEqual([
      'air-gapped',
      'bare-metal',
      'cloud',
      'edge',
      'hardened',
    ]);
    expect((await cli(['pipeline', 'list'])).stdout).toContain(
      '--env hardened                 Requires a pinned CA key, and does not allow ignoring a failed check',
    );
  });

  test('pipeline show prints a pipeline merged with its environments, which is valid itself', async () => {
    const { stdout } = await cli(['pipeline', 'show', '--env', 'bare-metal']);
    const file = await written('shown.yaml', stdout);
    expect(await cli(['pipeline', 'validate', file])).toMatchObject({
      code: 0,
      stdout: `${file}: 12 steps, no problems\n`,
    });
    expect(stdout).toContain('    timeout: 15m\n');
  });

  test('pipeline validate reports each problem with its lines, as text, JSON or SARIF', async () => {
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
  → schemas/pipeline.schema.json describes the format. To check the file without running it: bin/join pipeline validate FILE
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

  test('pipeline explain prints the origin of every value: file, variable, flag or configuration', async () => {
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

  test('pipeline explain suggests the nearest name for an unknown path', async () => {
    expect(await cli(['pipeline', 'explain', 'steps.node-redy.timeout'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is nothing at steps.node-redy; did you mean node-ready?'),
    });
  });

  test('pipeline graph draws text, Mermaid and DOT', async () => {
    const text = await cli(['pipeline', 'graph', '--env', join(project, 'test/samples/rack-label.yaml')]);
    expect(text.stdout).toBe(`join-worker
├─ preflight
├─ discovery (discovery-file or discovery-token)  retries
│  ↓ cluster-config  also after preflight; retries
│  ↓ preflight-cluster  also after kubelet-version; retries
│  ↓ tls-bootstrap  retries
│  ↓ kubeconfig
│  ↓ kubelet-config
│  ↓ rack-label (command)  from ${join(project, 'test/samples/rack-label.yaml')}
│  ↓ kubelet-start  retries
│  ↓ kubelet-wait-bootstrap
│  ↓ node-ready  retries
│  ↓ dynamic-kubelet-config  retries
└─ kubelet-version
`);
    const mermaid = await cli(['pipeline', 'graph', '--format', 'mermaid']);
    expect(mermaid.stdout).toMatch(
      /^flowchart TD\n {2}preflight\["preflight"\]\n[\s\S]*\n {2}preflight --> cluster-config\n/,
    );
    const dot = await cli(['pipeline', 'graph', '--format', 'dot']);
    expect(dot.stdout).toMatch(
      /^digraph "join-worker" \{\n {2}rankdir=TB;\n[\s\S]*\n {2}"preflight" -> "cluster-config";\n[\s\S]*\n\}\n$/,
    );
  });
});

describe('pictures of a pipeline', () => {
  const gated = `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: gated }
inputs: { type: object, properties: { motd: { type: string } } }
steps:
  - { id: end, uses: file, retry: { attempts: 3 }, with: { path: /etc/end, content: x } }
  - { id: gate, approval: { message: "Continue?", deadline: 1h } }
  - { id: motd, uses: file, if: has(inputs.motd), with: { path: /etc/motd, content: "\${{ inputs.motd }}" } }
  - { id: never, uses: assert, needs: [gate], with: { that: false, message: "no" } }
finally:
  - { id: tell, uses: file, with: { path: /etc/tell, content: x } }
`;
  const site = `apiVersion: joinery.dev/v1
kind: Environment
metadata: { name: site, description: "One more step" }
patches: [{ insert: { after: never, step: { id: label, uses: file, with: { path: /etc/site, content: x } } } }]
`;

  test('in each format, inserted steps, conditions, approvals, retries and finally look different', async () => {
    const { root } = await scene();
    const [pipeline, environment] = [join(root, 'gated.yaml'), join(root, 'site.yaml')];
    await writeFile(pipeline, gated);
    await writeFile(environment, site);
    const drawn = async (format: string) =>
      (await cli(['pipeline', 'graph', pipeline, '--env', environment, '--format', format])).stdout;
    expect(await drawn('text')).toBe(`gated
└─ end (file)  retries
   ↓ gate (approval)
   ├─ motd (file)  if has(inputs.motd)
   └─ never (assert)
      ↓ label (file)  from ${environment}
      ↓ tell (file)  also after motd; finally
`);
    const mermaid = await drawn('mermaid');
    for (const line of [
      'end_["end<br>file<br>retries"]', // "end" is a word of Mermaid
      'gate{{"gate<br>approval"}}',
      'tell(["tell<br>file<br>finally"])',
      'label -.-> tell',
      'class gate approval',
      'class label environment',
      'class motd conditional',
    ])
      expect(mermaid).toContain(`\n  ${line}\n`.replace(/\n$/, ''));
    const dot = await drawn('dot');
    expect(dot).toContain('"gate" [label="gate\\napproval", shape=hexagon');
    expect(dot).toMatch(/"motd" \[.*style="rounded,dashed"\];/);
    expect(dot).toMatch(/"label" \[.*style="rounded,filled", fillcolor="#fff8c5"\];/);
    expect(dot).toContain('"label" -> "tell" [style=dashed];');
    const svg = await drawn('svg');
    for (const look of ['box approval', 'box conditional', 'box environment', 'line last'])
      expect(svg).toContain(`class="${look}"`);
    expect(svg).toContain('@media (prefers-color-scheme:dark)');
  });

  test('runs show --output svg draws each step with its outcome, in colour and in words', async () => {
    const { root } = await scene();
    const pipeline = join(root, 'failing.yaml');
    await writeFile(pipeline, gated.replace(/.*approval:.*\n/, '').replace('needs: [gate]', 'needs: [end]'));
    expect((await cli(['run', '--pipeline', pipeline, '--root', root])).code).toBe(4);
    const { code, stdout } = await cli(['runs', 'show', '--output', 'svg', '--root', root]);
    expect(code).toBe(0);
    const boxes = [...stdout.matchAll(/<rect class="(box .*?)".*\n<text.*?>(.*?)<.*\n.*\n<text.*?>(.*?)</g)];
    expect(boxes.map(([, look, id, about]) => [id, look, about?.replace(/[\d.]+ s/, 'TIME')])).toEqual([
      ['end', 'box good', 'succeeded, TIME'],
      ['motd', 'box idle conditional', 'skipped · if has(inputs.motd)'],
      ['never', 'box bad', 'failed, E_ASSERT'],
      ['tell', 'box good', 'succeeded, TIME · finally'],
    ]);
    await writeFile(pipeline, `${gated}# changed\n`);
    expect((await cli(['runs', 'show', '--output', 'svg', '--root', root])).stderr).toContain('E_RUN_CHANGED');
  });
});

describe('join pipeline validate', () => {
  test('pipeline validate accepts every shipped pipeline', async () => {
    expect(await cli(['pipeline', 'validate', 'join-worker'])).toEqual({
      code: 0,
      stdout: 'join-worker: 12 steps, no problems\n',
      stderr: '',
    });
  });
  test('pipeline validate reports every problem with file, line and column, and exits 3', async () => {
    const { root } = await scene();
    const file = join(root, '../broken.yaml');
    await writeFile(
      file,
      'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: x }\nsteps:\n  - { id: a, uses: preflihgt }\n  - { id: b, uses: kubelet-start, needs: [c] }\n',
    );
    const { code, stderr } = await cli(['pipeline', 'validate', file]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${file}:5:20: there is no phase preflihgt; did you mean preflight?`);
    expect(stderr).toContain(`${file}:6:43: there is no step c\n`);
  });
});
