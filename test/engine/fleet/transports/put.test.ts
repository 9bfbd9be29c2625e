/** Files that are copied to a machine, by the transport `exec` with a shell of this computer. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executablesIn } from '../../../../engine/fleet/steps/executable.ts';
import { execMachine } from '../../../../engine/fleet/transports/exec.ts';
import { scratch } from '../../../helpers/machine.ts';

const { signal } = new AbortController();
const machine = execMachine('w1', ['env']);
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

async function copied(text: string) {
  const folder = await scratch();
  const source = join(folder, 'source');
  await writeFile(source, text);
  return { folder, file: { source, digest: digestOf(text), path: join(folder, 'opt/joinery/join'), mode: 0o755 } };
}

test('a file is copied once, with its mode, and a file with another content is replaced', async () => {
  const { file } = await copied('one'.repeat(100_000));
  expect(await machine.put(file, signal)).toEqual({ path: file.path, changed: true });
  expect(await machine.put(file, signal)).toEqual({ path: file.path, changed: false });
  expect([digestOf(await readFile(file.path, 'utf8')), (await stat(file.path)).mode & 0o777]).toEqual([
    file.digest,
    0o755,
  ]);
  await writeFile(file.path, 'changed by someone');
  expect(await machine.put(file, signal)).toMatchObject({ changed: true });
  expect(digestOf(await readFile(file.path, 'utf8'))).toBe(file.digest);
});

test('a file that arrives incomplete replaces nothing, and leaves nothing', async () => {
  const { folder, file } = await copied('whole');
  const wrong = { ...file, digest: digestOf('another') };
  await expect(machine.put(wrong, signal)).rejects.toMatchObject({
    code: 'E_FLEET_COPY',
    message: `cannot copy a file to ${file.path} on w1: the file did not arrive complete`,
  });
  expect(await readdir(join(folder, 'opt/joinery'))).toEqual([]);
});

test('a folder that other users can change gets no file', async () => {
  const { folder, file } = await copied('whole');
  await mkdir(join(folder, 'opt'));
  await chmod(join(folder, 'opt'), 0o777);
  await expect(machine.put(file, signal)).rejects.toMatchObject({
    code: 'E_FLEET_COPY',
    message: expect.stringContaining(`other users can change the folder ${join(folder, 'opt')}`),
  });
});

test('a program of the transport that does not exist makes the machine unreachable', async () => {
  await expect(execMachine('w1', ['/nowhere/vm-exec']).reach(signal)).rejects.toMatchObject({
    code: 'E_FLEET_UNREACHABLE',
    message: 'w1 cannot be reached: /nowhere/vm-exec: does not exist',
  });
});

test('the executable must be a program of Linux for the architecture of the machine', async () => {
  const { folder } = await copied('');
  const other = process.arch === 'x64' ? 'arm64' : 'x64';
  const own = executablesIn(folder, '1.0.0', process.execPath);
  expect(await own(process.arch as 'x64')).toMatchObject({ source: process.execPath, path: '/opt/joinery/join' });
  await expect(own(other)).rejects.toMatchObject({
    code: 'E_FLEET_EXECUTABLE',
    message: expect.stringContaining('it is for another architecture'),
  });
  const released = executablesIn(folder, '1.0.0', undefined);
  const path = join(folder, 'joinery-1.0.0-linux-arm64');
  await expect(released('arm64')).rejects.toThrow(`${path} does not exist`);
  await writeFile(path, '#!/bin/sh\necho this is a script and not a program\n');
  await expect(released('arm64')).rejects.toThrow('it is not an executable of Linux');
});
