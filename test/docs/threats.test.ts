/** docs/threat-model.md names tests that exist; its claims that no other test proves are tested here. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lchown, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generateKeyPem, issueCertificate, publicKeyDer } from '../../engine/pki/index.ts';
import { errorCodes } from '../../engine/sdk/index.ts';
import { cli, project, scene, start } from '../bin/cli.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { rootedMachine } from '../helpers/machine.ts';
import { holds, namedIn } from '../helpers/named-tests.ts';

const SIGNAL = new AbortController().signal;
const DAY_MS = 86_400_000;
const read = (path: string): Promise<string> => readFile(join(project, path), 'utf8');

describe('the threat model', () => {
  test('docs/threat-model.md names only tests that exist', async () => {
    const named = namedIn(await read('docs/threat-model.md'));
    expect(named.length).toBeGreaterThan(40);
    const missing = [];
    for (const { file, title } of named)
      if (!holds(await read(file).catch(() => ''), title)) missing.push(`${file} › ${title}`);
    expect(missing).toEqual([]);
  });

  test('docs/threat-model.md names a test in every row of its tables', async () => {
    const rows = (await read('docs/threat-model.md')).split('\n').filter((line) => /^\| (?!claim|---)/.test(line));
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.filter((row) => namedIn(row).length === 0)).toEqual([]);
  });

  test('docs/threat-model.md names only errors that exist', async () => {
    const codes = (await read('docs/threat-model.md')).match(/\bE_[A-Z_]+/g) ?? [];
    expect(codes.length).toBeGreaterThan(0);
    expect(codes.filter((code) => !(errorCodes as string[]).includes(code))).toEqual([]);
  });

  test('a test that docs/threat-model.md names is found by its file and its whole title', () => {
    expect(namedIn('| a | `test/x.test.ts` › one, two<br>`test/y.ts` › three |')).toEqual([
      { file: 'test/x.test.ts', title: 'one, two' },
      { file: 'test/y.ts', title: 'three' },
    ]);
    expect(holds("test('it is so', …", 'it is so')).toBe(true);
    expect(holds("test('it is so', …", 'it is')).toBe(false);
  });
});

describe('a link that another user could have placed', () => {
  const machine = async (mode: number) => {
    const { root, host } = await rootedMachine();
    await mkdir(join(root, 'etc/kubernetes'), { recursive: true });
    await writeFile(join(root, 'etc/shadow'), 'secret');
    await mkdir(join(root, 'srv'));
    await chmod(join(root, 'srv'), mode);
    await symlink('/etc', join(root, 'srv/link'));
    return { root, host };
  };
  const acts = (host: Awaited<ReturnType<typeof machine>>['host']) => ({
    read: () => host.read({ kind: 'file', path: '/srv/link/shadow' }, SIGNAL),
    list: () => host.read({ kind: 'list', path: '/srv/link' }, SIGNAL),
    write: () =>
      host.apply(
        { kind: 'file', path: '/srv/link/shadow', content: Buffer.from('x'), mode: 0o600, secret: false },
        SIGNAL,
      ),
    remove: () => host.apply({ kind: 'remove', path: '/srv/link/shadow' }, SIGNAL),
  });

  test('a link in a world-writable directory is not followed', async () => {
    const { root, host } = await machine(0o777);
    for (const [name, act] of Object.entries(acts(host)))
      expect(await joinErrorOf(act), name).toMatchObject({
        code: 'E_FILE',
        message: expect.stringContaining('is a link that others than root can place'),
      });
    expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toBe('secret');
  });

  test.skipIf(process.getuid?.() !== 0)('a link that another user owns is not followed in any directory', async () => {
    const { root, host } = await machine(0o755);
    await lchown(join(root, 'srv/link'), 65534, 65534);
    for (const [name, act] of Object.entries(acts(host)))
      expect(await joinErrorOf(act), name).toMatchObject({ code: 'E_FILE' });
    expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toBe('secret');
  });

  test.each([0o755, 0o1777])(
    'a link that only root could have placed is followed in a directory of mode %i',
    async (mode) => {
      const { root, host } = await machine(mode);
      await acts(host).write();
      expect(await readFile(join(root, 'etc/shadow'), 'utf8')).toBe('x');
    },
  );
});

describe('the lock of a machine', () => {
  test('a lock that another process has taken blocks runs, and does nothing else', async () => {
    const { args, root, tree, sandbox } = await scene();
    const folder = join(root, 'var/lib/joinery');
    await mkdir(folder, { mode: 0o700 });
    const squatter = spawn('flock', [join(folder, 'lock'), 'sh', '-c', 'echo held; exec sleep 60']);
    onTestFinished(() => void squatter.kill());
    await once(squatter.stdout, 'data');
    const before = await tree();
    const { code, stderr } = await cli(args('run'));
    expect(stderr).toContain(`E_RUN_LOCKED: another run is in progress on ${root}`);
    expect(stderr).toContain(`fuser -v ${folder}/lock`);
    expect(code).toBe(2);
    expect(await tree()).toEqual(before);
    expect(sandbox.store.requests).toEqual([]);
    expect((await cli(args('run', '--dry-run'))).code).toBe(0);
  });

  test.skipIf(process.getuid?.() !== 0)('another user cannot take the lock of a machine', async () => {
    const { args, root, sandbox } = await scene({ autoApprove: false });
    await chmod(join(root, '..'), 0o755);
    const { child, outcome } = start(args('run'));
    await expect.poll(() => sandbox.store.list('certificatesigningrequests').length, { timeout: 15_000 }).toBe(1);
    const lock = join(root, 'var/lib/joinery/lock');
    const taken = spawnSync('setpriv', ['--reuid', '1000', '--clear-groups', 'flock', '-n', lock, 'true']);
    expect(taken.stderr.toString()).toContain('Permission denied');
    child.kill('SIGINT');
    expect((await outcome).code).toBe(130);
  });

  test('the lock of a machine is held while a run is in progress', async () => {
    const { args, sandbox } = await scene({ autoApprove: false });
    const { child, outcome } = start(args('run'));
    await expect.poll(() => sandbox.store.list('certificatesigningrequests').length, { timeout: 15_000 }).toBe(1);
    expect((await cli(args('run'))).stderr).toContain('E_RUN_LOCKED');
    child.kill('SIGINT');
    expect((await outcome).code).toBe(130);
  });
});

test('a CA from the environment is not trusted', async () => {
  const { sandbox, root, args } = await scene();
  const key = generateKeyPem();
  const [notBefore, notAfter] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + DAY_MS)];
  const shared = { publicKey: publicKeyDer(key), signingKey: key, notBefore, notAfter };
  const ca = issueCertificate({ ...shared, subject: { commonName: 'of the attacker', organizations: [] }, use: 'ca' });
  const cert = issueCertificate({
    ...shared,
    subject: { commonName: 'kube-apiserver', organizations: [] },
    issuer: { commonName: 'of the attacker', organizations: [] },
    use: 'server',
    altNames: ['127.0.0.1'],
  });
  sandbox.serveWith({ cert, key });
  const file = join(root, '../ca.crt');
  await writeFile(file, ca);
  const { code, stderr } = await start(args('run'), { NODE_EXTRA_CA_CERTS: file, SSL_CERT_FILE: file }).outcome;
  expect(stderr).toContain('E_API_CERTIFICATE_UNTRUSTED');
  expect(code).toBe(12);
});

describe('what is installed', () => {
  interface Package {
    dev?: boolean;
    integrity?: string;
    hasInstallScript?: boolean;
  }
  test('every package is pinned by a digest, and no package that ships has an installation script', async () => {
    const { packages } = JSON.parse(await read('package-lock.json')) as { packages: Record<string, Package> };
    const installed = Object.entries(packages).filter(([path]) => path !== '');
    expect(installed.length).toBeGreaterThan(50);
    expect(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
    const scripted = installed.filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true);
    expect(scripted).toEqual([]);
  });

  test('the package of Joinery has no installation script', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
  });
});
