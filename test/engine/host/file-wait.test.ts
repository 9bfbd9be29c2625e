import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { recordingHost } from '../../../engine/host/recording.ts';
import { fail } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { thrownBy } from '../../helpers/errors.ts';
import { portsOn, rootedMachine } from '../../helpers/machine.ts';

const isThere = (content: Buffer | undefined): boolean => content !== undefined;
const says = (text: string) => (content: Buffer | undefined) => content?.toString() === text;
/** Long enough for a watch to be there, and far shorter than the pause after which it is read nevertheless. */
const A_MOMENT_MS = 100;
const AT_ONCE_MS = 1_500;

/** A wait on a real machine: its result, and how long it took. */
async function waiting(path: string, done: (content: Buffer | undefined) => boolean) {
  const { root, host } = await rootedMachine();
  const stopped = new AbortController();
  const { ports } = portsOn(host, [], { signal: stopped.signal });
  const from = performance.now();
  const begin = () => ports.files.waitFor(path, done).then((content) => ({ content, ms: performance.now() - from }));
  return { root, stopped, begin };
}

describe('waiting for a file', () => {
  test('a wait for a file ends at once if the file is already as expected', async () => {
    const { root, begin } = await waiting('/there', says('x'));
    await writeFile(join(root, 'there'), 'x');
    expect((await begin()).content?.toString()).toBe('x');
  });

  test.each<[string, (root: string) => Promise<void>]>([
    ['written', (root) => writeFile(join(root, 'd/f'), 'x')],
    [
      'put there under another name first',
      async (root) => {
        await writeFile(join(root, 'd/new'), 'x');
        await rename(join(root, 'd/new'), join(root, 'd/f'));
      },
    ],
    [
      'a link that is turned',
      async (root) => {
        await writeFile(join(root, 'd/new'), 'x');
        await symlink('/d/new', join(root, 'd/f'));
      },
    ],
  ])('a wait for a file notices that it is %s', async (_, act) => {
    const { root, begin } = await waiting('/d/f', says('x'));
    await mkdir(join(root, 'd'));
    const outcome = begin();
    await sleep(A_MOMENT_MS);
    await act(root);
    expect((await outcome).ms).toBeLessThan(AT_ONCE_MS);
  });

  test('a wait for a file sees every state on the way, and ends with the last', async () => {
    const seen: (string | undefined)[] = [];
    const { root, begin } = await waiting('/f', (content) => {
      seen.push(content?.toString());
      return content?.toString() === 'third';
    });
    const outcome = begin();
    for (const text of ['first', 'second', 'third']) {
      await sleep(A_MOMENT_MS);
      await writeFile(join(root, 'new'), text);
      await rename(join(root, 'new'), join(root, 'f'));
    }
    expect((await outcome).content?.toString()).toBe('third');
    expect([...new Set(seen)]).toEqual([undefined, 'first', 'second', 'third']);
  });

  test('a wait for a file notices directories that are created after it began', async () => {
    const { root, begin } = await waiting('/a/b/c/f', isThere);
    const outcome = begin();
    for (const folder of ['a', 'a/b', 'a/b/c']) {
      await sleep(A_MOMENT_MS);
      await mkdir(join(root, folder));
    }
    await writeFile(join(root, 'a/b/c/f'), '');
    expect((await outcome).ms).toBeLessThan(AT_ONCE_MS + 3 * A_MOMENT_MS);
  });

  test('a wait for a file survives the removal of its directory', async () => {
    const { root, begin } = await waiting('/d/f', isThere);
    await mkdir(join(root, 'd'));
    const outcome = begin();
    await sleep(A_MOMENT_MS);
    await rm(join(root, 'd'), { recursive: true });
    await sleep(A_MOMENT_MS);
    await mkdir(join(root, 'd'));
    await writeFile(join(root, 'd/f'), '');
    expect((await outcome).ms).toBeLessThan(AT_ONCE_MS + 2 * A_MOMENT_MS);
  });

  test('a wait for a file ends with its attempt, with the same reason', async () => {
    const { stopped, begin } = await waiting('/f', isThere);
    const outcome = thrownBy(begin);
    await sleep(A_MOMENT_MS);
    const reason = fail('E_STEP_TIME_LIMIT', { step: 'a', limitMs: 1 });
    stopped.abort(reason);
    expect(await outcome).toBe(reason);
  });

  test('a wait for a file ends with the error that its check throws', async () => {
    const reason = new Error('not like this');
    const { begin } = await waiting('/f', () => {
      throw reason;
    });
    expect(await thrownBy(begin)).toBe(reason);
  });

  test('a wait for a file ends with an error if something else has its name', async () => {
    const { root, begin } = await waiting('/d', isThere);
    await mkdir(join(root, 'd'));
    expect(await thrownBy(begin)).toMatchObject({ code: 'E_FILE', message: '/d: is not a file' });
  });
});

describe('waiting for a file in a dry run', () => {
  const change = { kind: 'file', path: '/f', content: Buffer.from('planned'), mode: 0o644, secret: false } as const;
  const signal = new AbortController().signal;

  test('a wait in a dry run finds the file that the run would have written', async () => {
    const host = recordingHost(memoryHost());
    await host.apply(change, signal);
    expect(await host.wait({ kind: 'file', path: '/f', done: says('planned') }, signal)).toEqual(change.content);
  });

  test('a wait in a dry run is undecided if another program writes the file', async () => {
    const wait = vi.fn();
    const host = recordingHost(memoryHost({ wait }));
    expect(await thrownBy(() => host.wait({ kind: 'file', path: '/f', done: isThere }, signal))).toMatchObject({
      code: 'E_UNDECIDED',
      facts: { what: 'what another program will write to /f' },
    });
    expect(wait).not.toHaveBeenCalled();
  });
});
