/**
 * The program that is killed, and the stand-in kubelet, each in one file with its code cache, so that they start in a
 * tenth of a second.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { PROJECT } from '../helpers/sources.ts';

export interface Programs {
  child: string;
  kubelet: string;
}

export async function bundlePrograms(folder: string): Promise<Programs> {
  const bundled = async (entry: string, name: string): Promise<string> => {
    const outfile = join(folder, `${name}.bundle.cjs`);
    await build({
      entryPoints: [join(PROJECT, entry)],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      supported: { 'dynamic-import': false }, // a cached script cannot import
      minifyWhitespace: true,
      minifySyntax: true,
      logLevel: 'warning',
    });
    const launcher = join(folder, `${name}.cjs`);
    await writeFile(launcher, `require(${JSON.stringify(join(PROJECT, 'test/crash/launch.cjs'))})('${outfile}');\n`);
    return launcher;
  };
  const [child, kubelet] = await Promise.all([
    bundled('test/crash/child.ts', 'child'),
    bundled('test/crash/kubelet.ts', 'kubelet'),
  ]);
  return { child, kubelet };
}
