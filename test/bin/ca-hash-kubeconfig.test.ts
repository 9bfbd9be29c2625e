import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import pins from '../vectors/pins.json' with { type: 'json' };
import { cli, project } from './cli.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ca-hash-'));
  await copyFile(join(project, 'test/vectors/ca-bundle.crt'), join(folder, 'ca.crt'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function hashOf(ca: string) {
  const kubeconfig = join(folder, 'config');
  const cluster = `{ server: "https://a:1", certificate-authority: ${ca} }`;
  await writeFile(kubeconfig, `clusters: [{ name: a, cluster: ${cluster} }]\n`);
  return cli(['ca-hash', kubeconfig]);
}

test('ca-hash finds the CA file that a kubeconfig names relative to itself', async () => {
  expect(await hashOf('ca.crt')).toEqual({ code: 0, stdout: `${pins.bundle.pinsInOrder.join('\n')}\n`, stderr: '' });
});

test('ca-hash names the CA file of a kubeconfig that does not exist', async () => {
  const { code, stderr } = await hashOf('none.crt');
  expect([code, stderr]).toEqual([2, expect.stringContaining('its CA file none.crt: does not exist')]);
});
