/**
 * Joins of clusters of other releases, as far as the shape of their API differs. The sandbox imitates that shape, so
 * these tests do not prove how the real releases behave.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, scene } from './cli.ts';

describe('a cluster whose API has the shape of', () => {
  test.each(['1.20', '1.24', '1.34', '1.36'] as const)(
    'join run joins a cluster whose API has the shape of Kubernetes %s',
    { timeout: 60_000 },
    async (profile) => {
      const { args, root, sandbox } = await scene({ profile });
      const { code, stderr } = await cli(args('run', '--wait', 'ready'));
      expect(code, stderr).toBe(0);
      const [csr] = sandbox.store.requests.filter(
        ({ method, path }) => method === 'POST' && path.endsWith('/certificatesigningrequests'),
      );
      expect(csr?.path).toBe('/apis/certificates.k8s.io/v1/certificatesigningrequests');
      expect(await readFile(join(root, 'var/lib/kubelet/config.yaml'), 'utf8')).toContain('kind: KubeletConfiguration');
    },
  );

  test('phase tls-bootstrap gets a certificate through v1beta1 from an API with the shape of Kubernetes 1.9', {
    timeout: 60_000,
  }, async () => {
    const { root, sandbox } = await scene({ profile: '1.9' });
    await writeFile(join(root, 'ca.crt'), sandbox.caPem);
    const cluster = ['--server', `https://${sandbox.endpoint}`, '--ca', `@${join(root, 'ca.crt')}`];
    const found = await cli([
      'phase',
      'tls-bootstrap',
      ...cluster,
      '--token',
      sandbox.token,
      '--node-name',
      'w1',
      '--root',
      root,
    ]);
    expect(found.code, found.stderr).toBe(0);
    expect(found.stdout).toMatch(/certificate = \(\d+ lines\)/);
    const [csr] = sandbox.store.list('certificatesigningrequests');
    expect(found.stderr).toContain(`${csr?.metadata.name} is signed`);
  });
});
