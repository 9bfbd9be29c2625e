import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Host } from '../../../engine/host/host.ts';
import { fail, type Ports } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { runsOnDisk, START } from '../../helpers/journals.ts';
import { rootedMachine } from '../../helpers/machine.ts';
import { changedBy, inShort, journalInMemory, takenBack } from '../../helpers/undone.ts';

const SIGNAL = new AbortController().signal;
const PATHS = ['/etc/a', '/etc/b', '/etc/d', '/etc/d/e', '/var/lib/c'];
const path = fc.constantFrom(...PATHS);
const content = fc.constantFrom('one', 'two', 'three');
const mode = fc.constantFrom(0o600, 0o644, 0o755);
const act = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), path, content, mode }),
  fc.record({ kind: fc.constant('link' as const), path, content }),
  fc.record({ kind: fc.constant('directory' as const), path, mode }),
  fc.record({ kind: fc.constant('remove' as const), path }),
);
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;
/** The files at some of the paths before the run. */
const machine = fc.dictionary(
  fc.constantFrom('/etc/a', '/etc/b', '/etc/d'),
  fc.oneof(
    fc.record({ kind: fc.constant('file' as const), content, mode }),
    fc.record({ kind: fc.constant('link' as const), content }),
    fc.record({ kind: fc.constant('directory' as const), mode }),
  ),
);
type Machine = typeof machine extends fc.Arbitrary<infer M> ? M : never;
/** After how many changes the run ends, and whether it applies the last of them. */
const end = fc.option(fc.record({ changes: fc.nat(10), isMade: fc.boolean() }), { nil: undefined });
type End = typeof end extends fc.Arbitrary<infer E> ? E : never;

async function perform(acts: readonly Act[], { files }: Ports): Promise<void> {
  for (const one of acts) {
    if (one.kind === 'write') await files.write(one.path, one.content, one.mode);
    else if (one.kind === 'link') await files.link(one.path, `/etc/${one.content}`);
    else if (one.kind === 'directory') await files.directory(one.path, one.mode);
    else await files.remove(one.path);
  }
}

/** A host that changes nothing after the end of the run, as if the process were gone. */
function until(at: End, host: Host): Host {
  let left = at === undefined ? Number.POSITIVE_INFINITY : at.changes;
  return {
    ...host,
    async apply(change, signal) {
      if (left > 0) {
        left--;
        return host.apply(change, signal);
      }
      if (left === 0 && at?.isMade === true) await host.apply(change, signal);
      left = -1;
      throw fail('E_FILE', { path: '/', what: 'it has ended' });
    },
  };
}

describe('an undo after any changes and any end', () => {
  const memory = (before: Machine) => {
    const files = Object.entries(before).flatMap(([at, one]) => (one.kind === 'file' ? [[at, one.content]] : []));
    return memoryHost({ files: Object.fromEntries(files), directories: ['/etc'] });
  };
  const stateOf = (host: Host) =>
    Promise.all(
      ['/', '/etc', '/var', '/var/lib', ...PATHS].map(async (at) => [
        at,
        await host.read<'stat'>({ kind: 'stat', path: at }, SIGNAL),
        (await host.read<'file'>({ kind: 'file', path: at }, SIGNAL).catch(() => undefined))?.toString(),
      ]),
    );

  test('an undo restores a machine in memory after any changes and any end of the run', async () => {
    /** A file has no files below it. The memory host does not check that. */
    const sound = fc.array(act, { maxLength: 14 }).map((acts) => acts.filter((one) => !one.path.startsWith('/etc/d')));
    await fc.assert(
      fc.asyncProperty(machine, sound, end, end, async (before, acts, ranUntil, undoneUntil) => {
        const host = memory(before);
        const was = await stateOf(host);
        const journal = journalInMemory();
        await changedBy((ports) => perform(acts, ports), until(ranUntil, host), { journal });
        await takenBack(journal, until(undoneUntil, host));
        const items = await takenBack(journal, host);
        expect(items.filter(({ outcome }) => outcome !== 'restored').map(inShort)).toEqual([]);
        expect(await stateOf(host)).toEqual(was);
        expect(await takenBack(journal, host)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('an undo restores a machine on disk after any changes and any end of the run', async () => {
    const treeOf = async (root: string) =>
      Object.fromEntries(
        await Promise.all(
          (await readdir(root, { recursive: true })).sort().map(async (name) => {
            const stats = await lstat(join(root, name));
            const what = stats.isSymbolicLink()
              ? await readlink(join(root, name))
              : stats.isFile() && (await readFile(join(root, name), 'utf8'));
            return [name, [stats.isSymbolicLink() ? 'link' : stats.mode.toString(8), what, stats.uid, stats.gid]];
          }),
        ),
      );
    const lay = async (root: string, before: Machine): Promise<void> => {
      await mkdir(join(root, 'etc'));
      for (const [at, one] of Object.entries(before)) {
        const place = join(root, at);
        await mkdir(dirname(place), { recursive: true });
        if (one.kind === 'link') await symlink(`/etc/${one.content}`, place);
        else {
          if (one.kind === 'file') await writeFile(place, one.content);
          else await mkdir(place);
          await chmod(place, one.mode);
        }
      }
    };
    await fc.assert(
      fc.asyncProperty(
        machine,
        fc.array(act, { maxLength: 10 }),
        end,
        end,
        async (before, acts, ranUntil, undoneUntil) => {
          const { root, host } = await rootedMachine();
          await lay(root, before);
          const was = await treeOf(root);
          const { runs } = await runsOnDisk();
          const { id, isWritten } = await changedBy((ports) => perform(acts, ports), until(ranUntil, host), {
            journal: runs.begin(START),
          });
          if (isWritten) {
            await takenBack(await runs.open(id), until(undoneUntil, host));
            const items = await takenBack(await runs.open(id), host);
            expect(items.filter(({ outcome }) => outcome !== 'restored')).toEqual([]);
          }
          expect(await treeOf(root)).toEqual(was);
        },
      ),
      { numRuns: 40, interruptAfterTimeLimit: 15_000 },
    );
  });
});
