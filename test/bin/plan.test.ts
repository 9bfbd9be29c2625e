import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import planSchema from '../../schemas/plan.schema.json' with { type: 'json' };
import resultSchema from '../../schemas/run-result.schema.json' with { type: 'json' };
import { cli, scene } from './cli.ts';

const OWNER = { uid: process.getuid?.(), gid: process.getgid?.() };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Step {
  id: string;
  status: string;
  needs: string[];
  changes: { kind: string; path?: string; mode?: number; diff?: string; content?: string; owner?: object }[];
  waits: string[];
  irreversible: string[];
  knownAfterRun: string[];
}

describe('join plan', () => {
  test('join plan lists what each step would change, wait for and not undo, and changes nothing', async () => {
    const { args, tree } = await scene();
    const before = await tree();
    const { code, stdout } = await cli(args('plan', '--output', 'json'));
    expect(code).toBe(0);
    expect(await tree()).toEqual(before);
    const plan = JSON.parse(stdout) as { status: string; environments: string[]; steps: Step[] };
    const validate = new Ajv2020({ schemas: [resultSchema], strict: false }).compile(planSchema);
    expect(validate(plan), JSON.stringify(validate.errors)).toBe(true);
    expect(plan).toMatchObject({
      kind: 'Plan',
      pipeline: 'join-worker',
      environments: [],
      status: 'succeeded',
      nodeName: 'w1',
    });
    const step = (id: string) => plan.steps.find((each) => each.id === id);
    expect(step('tls-bootstrap')).toMatchObject({
      status: 'succeeded',
      needs: ['preflight-cluster'],
      changes: [{ kind: 'api', verb: 'create', resource: 'certificatesigningrequests', checked: 'dry-run' }],
      waits: [expect.stringMatching(/^certificatesigningrequests node-csr-/)],
      irreversible: [expect.any(String)],
      knownAfterRun: ['certificate', 'key'],
    });
    const files = plan.steps.flatMap(({ changes }) => changes.filter(({ kind }) => kind === 'file'));
    const key = files.find(({ path }) => path?.includes('/pki/kubelet-client-') === true);
    expect(key).toEqual({ kind: 'file', path: key?.path, action: 'create', mode: 0o600, owner: OWNER });
    expect(JSON.stringify(plan)).not.toContain('PRIVATE KEY');
    const config = step('kubelet-config')?.changes.find(({ path }) => path === '/var/lib/kubelet/config.yaml');
    expect(config?.diff).toMatch(/^--- \/dev\/null\n\+\+\+ \/var\/lib\/kubelet\/config\.yaml\n@@ -0,0 \+1,\d+ @@\n\+/);
    expect(step('kubelet-start')?.changes).toContainEqual({ kind: 'service', name: 'kubelet', action: 'start' });
  });

  test('join plan prints a diff of a file only if every user may read the file', async () => {
    const { args, root } = await scene();
    await mkdir(join(root, 'etc/site'));
    await writeFile(join(root, 'etc/site/motd'), 'one\ntwo\nthree\n', { mode: 0o644 });
    await writeFile(join(root, 'etc/site/key'), 'hush\n', { mode: 0o600 });
    const pipeline = join(folder, 'motd.yaml');
    const step = (id: string, content: string) =>
      `  - { id: ${id}, uses: file, with: { path: /etc/site/motd, content: ${JSON.stringify(content)}, mode: "0600" } }\n`;
    await writeFile(
      pipeline,
      `apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: motd }\nsteps:\n${step('first', 'one\nTWO\nthree\n')}${step('second', 'one\nTWO\nthree\nfour\n')}${step('third', 'open\n').replace('motd', 'key')}`,
    );
    const { code, stdout } = await cli(['plan', '--pipeline', pipeline, '--root', root]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Plan for motd. Nothing was changed.
✓ first: ${FILE}
    would replace /etc/site/motd (0600), owner ${OWNER.uid}:${OWNER.gid}
        @@ -1,3 +1,3 @@
         one
        -two
        +TWO
         three
✓ second: ${FILE}
    would replace /etc/site/motd (0600), owner ${OWNER.uid}:${OWNER.gid}
        @@ -1,3 +1,4 @@
         one
         TWO
         three
        +four
✓ third: ${FILE}
    would replace /etc/site/key (0600), owner ${OWNER.uid}:${OWNER.gid}
        @@ -0,0 +1,1 @@
        +open
`,
    });
    expect(await readFile(join(root, 'etc/site/motd'), 'utf8')).toBe('one\ntwo\nthree\n');
    expect(args).toBeDefined();
  });

  test('join plan says what an undo does not restore', async () => {
    const { root } = await scene();
    await mkdir(join(root, 'etc/empty'), { recursive: true });
    await symlink('empty', join(root, 'etc/link'));
    const step = (id: string, rest: string) => `  - { id: ${id}, uses: file, with: { path: /etc/${id}, ${rest} } }\n`;
    const pipeline = join(folder, 'unrestored.yaml');
    const steps = step('empty', 'absent: true') + step('link', 'content: x') + step('new', 'content: x');
    await writeFile(pipeline, `apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: a }\nsteps:\n${steps}`);
    const { stdout } = await cli(['plan', '--pipeline', pipeline, '--root', root]);
    expect(stdout.split('\n').filter((line) => line.includes('not undone'))).toEqual([
      '    not undone: /etc/empty: its ACL, label, attributes and times',
      '    not undone: /etc/link: its owner, label and times',
    ]);
    const json = await cli(['plan', '--pipeline', pipeline, '--root', root, '--output', 'json']);
    const plan = JSON.parse(json.stdout) as { steps: Step[] };
    expect(plan.steps[0]).toMatchObject({
      changes: [{ kind: 'remove', unrestored: 'its ACL, label, attributes and times' }],
      irreversible: ['/etc/empty: its ACL, label, attributes and times'],
    });
  });
});

const FILE = 'Write or remove a file';
