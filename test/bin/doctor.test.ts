/** The `join doctor` command before, during and after a join, as text and as JSON. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { nextOf } from '../../bin/render/diagnosis.ts';
import type { KubeObject } from '../../plugins/sandbox/objects.ts';
import { cli, obstruct, project, scene, start } from './cli.ts';

const valid = new Ajv2020({ strict: false }).compile(
  JSON.parse(readFileSync(join(project, 'schemas/diagnosis.schema.json'), 'utf8')),
);
async function examined(root: string) {
  const { code, stdout, stderr } = await cli(['doctor', '--root', root, '--output', 'json']);
  const document = JSON.parse(stdout);
  expect(valid(document), JSON.stringify(valid.errors)).toBe(true);
  expect([code, stderr]).toEqual([document.healthy ? 0 : 6, '']);
  return document as { healthy: boolean; next?: string; findings: { check: string; state: string; what: string }[] };
}

test('join doctor suggests the next command before a join, while it waits for approval, and after it', {
  timeout: 90_000,
}, async () => {
  const { args, root, sandbox, tree } = await scene({ autoApprove: false });
  const before = await tree();
  expect((await examined(root)).findings).toEqual([
    { check: 'run', state: 'note', what: 'no run is recorded on this machine' },
    { check: 'identity', state: 'note', what: 'this machine has not joined a cluster' },
    { check: 'kubelet', state: 'note', what: 'its service is not running (expected before a join)' },
  ]);
  expect(await tree()).toEqual(before);

  const { child, outcome } = start(args('run'));
  for (let tries = 0; sandbox.store.list('certificatesigningrequests').length === 0 && tries < 400; tries++)
    await sleep(50);
  await sleep(200);
  const [csr] = sandbox.store.list('certificatesigningrequests');
  const running = await examined(root);
  expect(running.findings[0]?.what).toMatch(/ of join-worker is in progress \(pid \d+\)$/);
  expect(running.next).toBe(`kubectl certificate approve ${csr?.metadata.name}\nbin/join attach --root ${root}`);
  child.kill('SIGKILL');
  await outcome;
  const waiting = await examined(root);
  expect(waiting).toMatchObject({
    healthy: false,
    next: `kubectl certificate approve ${csr?.metadata.name}\nbin/join resume --root ${root}`,
  });
  expect(waiting.findings.map(({ check, state }) => [check, state])).toEqual([
    ...[
      ['run', 'problem'],
      ['identity', 'note'],
      ['kubelet', 'note'],
      ['api-server', 'ok'],
      ['clock', 'ok'],
    ],
    ['csr', 'problem'],
  ]);
  expect(JSON.stringify(waiting)).not.toContain(sandbox.token.split('.')[1]);

  expect(waiting.findings[2]?.what).toBe('not started yet: the run stopped at tls-bootstrap');

  sandbox.autoApprove = true; // an administrator approves it
  expect((await cli(['resume', '--root', root])).code).toBe(0);
  const { code, stdout } = await cli(['doctor', '--root', root]); // the Node may not be Ready yet
  expect(stdout).toMatch(/^✓ run +\d{8}-\d{6}-[0-9a-f]{4} of join-worker succeeded$/m);
  expect(stdout).toMatch(/^✓ identity +this machine is w1 in https:/m);
  expect([code, stdout.includes('✗')], stdout).toEqual([0, false]);
});

test('join doctor on a run that failed before the kubelet started suggests to resume it', async () => {
  const { args, root } = await scene();
  const clear = await obstruct(root);
  expect((await cli(args('run'))).code).toBe(6);
  const { next, findings } = await examined(root);
  expect(next).toMatch(/^Move it away: mv (\S+) \1\.old\. Then run: bin\/join resume \S+ --root \S+$/);
  const found = Object.fromEntries(findings.map(({ check, ...rest }) => [check, rest]));
  expect(found.run).toMatchObject({
    state: 'problem',
    what: expect.stringContaining('failed at kubelet-config: E_FILE'),
  });
  expect([found.kubelet, found.files, found.node]).toEqual([
    { state: 'note', what: 'not started yet: the run stopped at kubelet-config' },
    { state: 'note', what: 'not complete yet: the run stopped at kubelet-config' },
    { state: 'note', what: 'w1 is not started yet: the run stopped at kubelet-config' },
  ]);
  await clear();
});

test('join doctor on a run whose kubelet did not start suggests to resume it, not to start the kubelet', async () => {
  const { args, root, sandbox } = await scene();
  type ConfigMap = KubeObject & { data: Record<string, string> };
  const map = sandbox.store.get<ConfigMap>('configmaps', 'kubelet-config', 'kube-system') as ConfigMap;
  // A kubelet exits if its configuration has no apiVersion.
  const kubelet = (map.data.kubelet ?? '').replace(/^apiVersion: .*\n/m, '');
  sandbox.store.update('configmaps', { ...map, data: { kubelet } });
  expect((await cli(args('run'))).code).toBe(6);
  const { next, findings } = await examined(root);
  expect(next).toMatch(/^Read its log: .*run: bin\/join resume \S+ --root \S+$/);
  expect(JSON.stringify(findings)).not.toContain('systemctl start kubelet');
  expect(findings).toContainEqual({ check: 'kubelet', state: 'problem', what: expect.stringContaining('not running') });
});

test('the next command of a diagnosis fixes the cause first, and then the run that failed from it', () => {
  const run = { check: 'run', state: 'problem', what: 'failed', next: 'join resume' } as const;
  const kubelet = { check: 'kubelet', state: 'problem', what: 'down', next: 'systemctl start kubelet' } as const;
  const note = { check: 'identity', state: 'note', what: 'asking', next: 'kubectl get csr' } as const;
  expect(nextOf([run, note, kubelet])).toBe('systemctl start kubelet');
  expect(nextOf([run, note])).toBe('join resume');
  expect(nextOf([note])).toBe('kubectl get csr');
  expect(nextOf([])).toBeUndefined();
});
