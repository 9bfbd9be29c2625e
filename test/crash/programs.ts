/** The program that is killed, and the stand-in kubelet, each in one file, so that they start in a tenth of a second. */
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { validatorsSource } from '../../bin/precompile.ts';
import { PROJECT } from '../helpers/sources.ts';

export interface Programs {
  child: string;
  kubelet: string;
}

/** As in `bin/build.js`. */
const precompiled: Plugin = {
  name: 'precompiled validators',
  setup: ({ onLoad }) =>
    onLoad({ filter: /pipeline\/precompiled\.ts$/ }, () => ({
      contents: validatorsSource(PROJECT),
      loader: 'js',
      resolveDir: PROJECT,
    })),
};

export async function bundlePrograms(folder: string): Promise<Programs> {
  const bundled = async (entry: string, name: string): Promise<string> => {
    const outfile = join(folder, name);
    await build({
      entryPoints: [join(PROJECT, entry)],
      outfile,
      plugins: [precompiled],
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      minifyWhitespace: true,
      minifySyntax: true,
      logLevel: 'warning',
    });
    return outfile;
  };
  const [child, kubelet] = await Promise.all([
    bundled('test/crash/child.ts', 'child.cjs'),
    bundled('test/crash/kubelet.ts', 'kubelet.cjs'),
  ]);
  return { child, kubelet };
}
