import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../../engine/host/changes/index.ts';
import { joinErrorOf, thrownBy } from '../../helpers/errors.ts';
import { rootedMachine, scratch } from '../../helpers/machine.ts';

const SIGNAL = new AbortController().signal;
const file = (path: string, text: string | Buffer, mode = 0o644): Extract<Change, { kind: 'file' }> => ({
  kind: 'file',
  path,
  content: Buffer.from(text),
  mode,
  secret: false,
});

describe('links', () => {
  const outside = 'OUTSIDE';
  /** A root with a neighbour that nothing may reach. */
  async function linked() {
    const machine = await rootedMachine();
    const beside = await scratch();
    await writeFile(join(beside, 'secret'), outside);
    await mkdir(join(machine.root, 'etc/sub'), { recursive: true });
    await writeFile(join(machine.root, 'etc/sub/file'), 'inside');
    return {
      ...machine,
      beside,
      text: async (path: string) => (await machine.host.read<'file'>({ kind: 'file', path }, SIGNAL))?.toString(),
    };
  }

  test.each([
    ['relative', 'etc/rel', 'sub/file'],
    ['absolute, which means the root of the machine', 'etc/abs', '/etc/sub/file'],
    ['with dots', 'etc/dots', '../etc/./sub/../sub/file'],
    ['that climbs above the root, which has no above', 'etc/up', '../../../../../../etc/sub/file'],
  ])('a link is followed inside the root: %s', async (_, path, target) => {
    const { root, text } = await linked();
    await symlink(target, join(root, path));
    expect(await text(`/${path}`)).toBe('inside');
  });

  test('a link never leads out of the root, neither for reads nor for writes', async () => {
    const { root, beside, host, text } = await linked();
    await symlink(beside, join(root, 'absolute'));
    await symlink(`${'../../'.repeat(20)}${beside.slice(1)}`, join(root, 'relative'));
    await symlink(join(beside, 'secret'), join(root, 'file'));
    for (const path of ['/absolute/secret', '/relative/secret', '/file', `/..${beside}/secret`])
      expect(await text(path)).toBeUndefined();
    expect(await host.read({ kind: 'list', path: '/absolute' }, SIGNAL)).toBeUndefined();
    await thrownBy(() => host.apply(file('/absolute/made', 'x'), SIGNAL));
    await host.apply(file('/file', 'x'), SIGNAL);
    expect(await readdir(beside)).toEqual(['secret']);
    expect(await readFile(join(beside, 'secret'), 'utf8')).toBe(outside);
  });

  test('a circle of links ends with an error', async () => {
    const { root, text, host } = await linked();
    await symlink('b', join(root, 'a'));
    await symlink('a', join(root, 'b'));
    const error = await joinErrorOf(() => text('/a'));
    expect([error.code, error.message]).toEqual(['E_FILE', '/a: too many links']);
    expect(await host.read({ kind: 'stat', path: '/a' }, SIGNAL)).toMatchObject({
      kind: 'link',
      mode: 0o777,
      target: 'b',
    });
  });

  test('a link to a directory is followed by a write below it', async () => {
    const { root, host } = await linked();
    await mkdir(join(root, 'var'));
    await mkdir(join(root, 'run'));
    await symlink('/run', join(root, 'var/run'));
    await host.apply(file('/var/run/x', 'here'), SIGNAL);
    expect(await readFile(join(root, 'run/x'), 'utf8')).toBe('here');
  });

  test('a file replaces a link of its name, and the target of the link stays', async () => {
    const { root, host } = await linked();
    await symlink('sub/file', join(root, 'etc/rel'));
    await host.apply(file('/etc/rel', 'new'), SIGNAL);
    expect((await lstat(join(root, 'etc/rel'))).isFile()).toBe(true);
    expect(await readFile(join(root, 'etc/sub/file'), 'utf8')).toBe('inside');
  });

  test('a link is created and replaced, but never replaces a file', async () => {
    const { root, host } = await linked();
    const link = (path: string, target: string) => host.apply({ kind: 'link', path, target }, SIGNAL);
    await link('/etc/l', 'one');
    await link('/etc/l', 'two');
    expect(await readlink(join(root, 'etc/l'))).toBe('two');
    const error = await joinErrorOf(() => link('/etc/sub/file', 'one'));
    expect([error.code, error.message]).toEqual([
      'E_FILE',
      expect.stringMatching(/etc\/sub\/file: is in the way of a link$/),
    ]);
    expect(await readdir(join(root, 'etc'))).toEqual(['l', 'sub']);
    expect(await readdir(join(root, 'etc/sub'))).toEqual(['file']);
  });
});
