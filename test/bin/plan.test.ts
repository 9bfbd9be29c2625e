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
    const { code, stdout } = await cli(['plan', '--pipeline', pipeline, '--root', root, '--diff']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Plan: 2 files
This was a dry run of motd: nothing was changed.
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

describe('the text of a plan', () => {
  test('a plan first counts its changes, omits assumptions, and puts unchanged steps in one line', async () => {
    const { args } = await scene();
    const { stdout } = await cli(args('plan'));
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'Plan: 6 files, 4 directories, 1 link, 1 service, 1 API object (1 cannot be undone)',
      'This was a dry run of join-worker: nothing was changed.',
      '✓ preflight, discovery, kubelet-version, cluster-config, preflight-cluster: no changes',
    ]);
    expect(stdout).not.toMatch(/is signed|the kubelet is healthy|has registered/);
    expect(stdout).not.toContain('@@');
    expect(stdout).toContain('✓ node-ready: no changes, would wait for nodes w1\n');
  });

  test('on a joined machine, a plan and each phase have nothing to do', async () => {
    const { args, root } = await scene();
    expect((await cli(args('run'))).code).toBe(0);
    const { code, stdout } = await cli(args('plan', '--detailed-exitcode'));
    expect({ code, lines: stdout.split('\n').slice(0, 3) }).toEqual({
      code: 0,
      lines: [
        'Plan: nothing to do',
        'This was a dry run of join-worker: nothing was changed.',
        expect.stringMatching(/^✓ preflight, .*, dynamic-kubelet-config: no changes$/),
      ],
    });
    const phase = await cli(['phase', 'kubelet-start', '--root', root, '--dry-run']);
    expect(phase.stdout).toMatch(/^Plan: nothing to do\n/);
  });

  test('with --detailed-exitcode, a plan with changes ends with 2, and an error never does', async () => {
    const { args, sandbox, root } = await scene();
    expect((await cli(args('plan', '--detailed-exitcode'))).code).toBe(2);
    expect((await cli(args('plan', '--detailed-exitcode', '--no-such-flag'))).code).toBe(1);
    const pin = `sha256:${'0'.repeat(64)}`;
    const line = [sandbox.endpoint, '--token', sandbox.token, '--discovery-token-ca-cert-hash', pin, '--root', root];
    const untrusted = await cli(['plan', '--detailed-exitcode', ...line]);
    expect({ code: untrusted.code, first: untrusted.stdout.split('\n')[0] }).toEqual({
      code: 12,
      first: 'Incomplete plan, because the dry run failed: no changes so far',
    });
  });
});

const FILE = 'Write or remove a file';
