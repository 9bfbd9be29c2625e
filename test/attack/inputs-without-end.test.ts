/** No file that a person, the environment or a document names can fill the memory, or stop the process. */
import { execFileSync, spawn } from 'node:child_process';
import { truncateSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { textOrFile } from '../../bin/inputs/arguments.ts';
import { readText } from '../../bin/inputs/read-text.ts';
import { type Disk, realDisk } from '../../engine/host/disk.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import { readTrusted } from '../../engine/host/trusted.ts';
import { parseDocuments } from '../../engine/kubeadm/documents.ts';
import { LIMITS } from '../../engine/limits/sizes.ts';
import { systemRoots } from '../../engine/net/roots.ts';
import { inspectPlugin } from '../../engine/plugins/inspect.ts';
import { parseYaml } from '../../engine/sdk/index.ts';
import { scratch } from '../helpers/machine.ts';

/** Paths of a sparse file of 50 GiB, of a pipe that has no writer, and of devices. */
async function endless(): Promise<Record<string, string>> {
  const root = await scratch();
  const [sparse, fifo] = [join(root, 'sparse'), join(root, 'fifo')];
  await writeFile(sparse, '');
  await truncate(sparse, 50 * 2 ** 30);
  execFileSync('mkfifo', ['-m', '600', fifo]);
  return { sparse, fifo, zero: '/dev/zero', urandom: '/dev/urandom', folder: root, unsized: '/proc/self/pagemap' };
}

const READERS: Record<string, (path: string) => unknown> = {
  'the value of a flag': (path) => textOrFile(`@${path}`, '--token'),
  'a configuration file': (path) => readText(path),
  'a pipeline': (path) => readTrusted(path),
  'a file of the machine': (path) => new MachineFiles('/').read(path),
};

describe('an input without an end', () => {
  test.each(Object.keys(READERS))(
    'an input without an end is refused as %s, within seconds',
    async (reader) => {
      for (const [kind, path] of Object.entries(await endless())) {
        const begunAt = Date.now();
        const reading = (async () => READERS[reader]?.(path))();
        await expect(reading, kind).rejects.toThrow(
          /larger than|not a file|nothing was written|can change it|invalid argument|E[A-Z]+/,
        );
        expect(Date.now() - begunAt, kind).toBeLessThan(8_000);
      }
    },
    60_000,
  );

  test('an input without an end is refused as a bundle of CA certificates', async () => {
    for (const [kind, path] of Object.entries(await endless()))
      expect(await systemRoots({ SSL_CERT_FILE: path, SSL_CERT_DIR: '/nowhere' }), kind).toEqual([]);
  });

  test('an input without an end is refused as the manifest of a plugin', async () => {
    const root = await scratch();
    execFileSync('mkfifo', ['-m', '600', join(root, 'package.json')]);
    await expect(inspectPlugin(root, '1.0.0')).rejects.toMatchObject({ code: 'E_PLUGIN_FILES' });
  });
});

describe('a file of the machine', () => {
  test('a file that grows while it is read is read up to the size that was checked', async () => {
    const root = await scratch();
    const file = join(root, 'file');
    await writeFile(file, 'short');
    const open: Disk['open'] = async (...args) => {
      const handle = await realDisk.open(...args);
      const stat = handle.stat.bind(handle);
      handle.stat = (async () => {
        const stats = await stat();
        truncateSync(file, 1 << 30);
        return stats;
      }) as typeof handle.stat;
      return handle;
    };
    const files = new MachineFiles(root, { ...realDisk, open });
    expect((await files.read('/file'))?.toString()).toBe('short');
    truncateSync(file, 5);
    expect((await files.readStart('/file', 100)).content.toString()).toBe('short');
  });
});

describe('a pipe', () => {
  const pipeOf = async (script: string): Promise<string> => {
    const { fifo = '' } = await endless();
    spawn('sh', ['-c', `${script} > ${fifo}`], { stdio: 'ignore' });
    return fifo;
  };
  test('a pipe is read to its end, also if its writer is slow', async () => {
    expect(readTrusted(await pipeOf('(printf a; sleep 0.5; printf b)'))).toBe('ab');
  });
  test('a pipe is refused if it is longer than the limit', async () => {
    const path = await pipeOf('yes');
    expect(() => readTrusted(path)).toThrow(`larger than ${LIMITS.text} bytes`);
  });
  test('a pipe is read also if its writer comes later', async () => {
    expect(readTrusted(await pipeOf('sleep 0.5; printf late'))).toBe('late');
  });
});

describe('a document whose aliases would expand it', () => {
  const long = 'x'.repeat(100_000);
  const DOCUMENTS: Record<string, string> = {
    'one long text, many times': `a: &a ${long}\nb: [${Array(50).fill('*a').join(', ')}]\n`,
    'lists of lists': ['a0: &a0 [x, x, x, x, x, x, x, x]']
      .concat(Array.from({ length: 7 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(8).fill(`*a${i}`).join(', ')}]`))
      .join('\n'),
    'a long key': `? &k ${long}\n: 1\nb: [${Array(50).fill('*k').join(', ')}]\n`,
    'an anchor that is defined twice': `a: &a x\nb: &a ${long}\nc: [${Array(50).fill('*a').join(', ')}]\n`,
    'merged mappings': `a: &a { k: ${long} }\nb: [${Array(50).fill('{ <<: *a }').join(', ')}]\n`,
  };
  test.each(Object.keys(DOCUMENTS))(
    'a document whose aliases would expand it is refused before it is expanded: %s',
    (name) => {
      expect(() => parseYaml(DOCUMENTS[name] ?? '')).toThrow('with its aliases expanded');
    },
  );
  test('a kubeadm configuration whose aliases would expand it is refused, too', () => {
    const read = (text: string) => parseDocuments('x.yaml', text)[0]?.value;
    expect(read(DOCUMENTS['one long text, many times'] ?? '')).toBeUndefined();
    expect(read('a: &a 1\nb: *a\n')).toEqual({ a: 1, b: 1 });
  });
  test('a document with aliases is read if it stays small', () => {
    expect(parseYaml('a: &a { k: v }\nb: [*a, *a]\n')).toEqual({ a: { k: 'v' }, b: [{ k: 'v' }, { k: 'v' }] });
  });
  test('a document with aliases never becomes longer as JSON than a record of the journal', () => {
    const text = `a: &a "${'\\u0001'.repeat(10_000)}"\nb: [${Array(99).fill('*a').join(', ')}]\n`;
    let value: unknown;
    try {
      value = parseYaml(text);
    } catch (error) {
      return expect(String(error)).toContain('aliases');
    }
    return expect(JSON.stringify(value).length).toBeLessThan(LIMITS.record);
  });
});
