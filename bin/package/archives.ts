/** Packs a staged tree as .tar.xz, .deb and .rpm. The same tree and time give the same bytes. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pjson from '../../package.json' with { type: 'json' };
import type { Architecture } from './fetch.ts';

export interface ArchivesRequest {
  /** Contains `usr`, as it is to be installed. */
  tree: string;
  scratch: string;
  /** Receives the archives. */
  release: string;
  architecture: Architecture;
  /** The time of every file, in seconds since 1970. */
  epochSeconds: number;
}

const DEBIAN: Readonly<Record<Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };
const RPM: Readonly<Record<Architecture, string>> = { x64: 'x86_64', arm64: 'aarch64' };
/** The oldest C library that this version of Node runs on. */
const GLIBC = '2.28';
const DESCRIPTION = pjson.description;

export function buildArchives(request: ArchivesRequest): void {
  buildTar(request);
  buildDeb(request);
  buildRpm(request);
}

function run(program: string, args: readonly string[], { epochSeconds }: ArchivesRequest): void {
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epochSeconds), TZ: 'UTC', LC_ALL: 'C' };
  execFileSync(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

function buildTar(request: ArchivesRequest): void {
  const { tree, release, architecture, epochSeconds } = request;
  const name = `joinery-${pjson.version}-linux-${architecture}`;
  const order = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${epochSeconds}`];
  // Always several threads, because one thread gives other bytes.
  const compress = ['-I', 'xz --threads=2'];
  const rename = ['--transform', `s,^usr,${name},`];
  const output = join(release, `${name}.tar.xz`);
  run('tar', [...order, ...compress, ...rename, '--mode=u+rw,go=rX', '-cf', output, '-C', tree, 'usr'], request);
}

function buildDeb(request: ArchivesRequest): void {
  const { tree, scratch, release, architecture } = request;
  const folder = join(scratch, 'deb');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'DEBIAN'), { recursive: true });
  run('cp', ['-a', join(tree, 'usr'), folder], request);
  const control = `Package: joinery
Version: ${pjson.version}
Architecture: ${DEBIAN[architecture]}
Maintainer: The Joinery authors <security@joinery.dev>
Section: admin
Priority: optional
Depends: libc6 (>= ${GLIBC}), libgcc-s1, libstdc++6, util-linux, coreutils
Homepage: https://joinery.dev
Description: ${DESCRIPTION}
`;
  writeFileSync(join(folder, 'DEBIAN/control'), control);
  const output = join(release, `joinery_${pjson.version}_${DEBIAN[architecture]}.deb`);
  run('dpkg-deb', ['--root-owner-group', '-Zxz', '--threads-max=2', '--build', folder, output], request);
}

function buildRpm(request: ArchivesRequest): void {
  const { tree, scratch, release, architecture } = request;
  const folder = join(scratch, 'rpm');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'joinery.spec'), specOf(tree));
  const macros = {
    _topdir: folder,
    _dbpath: join(folder, 'db'),
    _rpmdir: release,
    _build_name_fmt: '%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm',
    _buildhost: 'joinery.dev',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    source_date_epoch_from_changelog: '0',
    _binary_payload: 'w6.xzdio',
    _build_id_links: 'none',
    __os_install_post: '%{nil}', // it would strip the executable, and with it the embedded files
    debug_package: '%{nil}',
  };
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  run('rpmbuild', ['--quiet', '--target', RPM[architecture], ...defines, '-bb', join(folder, 'joinery.spec')], request);
}

const specOf = (tree: string): string => `Name: joinery
Version: ${pjson.version}
Release: 1
Summary: ${DESCRIPTION}
License: ${pjson.license}
URL: https://joinery.dev
AutoReqProv: no
Requires: glibc >= ${GLIBC}, libgcc, libstdc++, util-linux, coreutils

%description
${DESCRIPTION}.

%install
cp -a ${tree}/usr %{buildroot}

%files
%defattr(-,root,root)
${filesIn(tree, 'usr')
  .map((path) => `/${path}`)
  .join('\n')}
`;

/** All files below a folder, sorted. */
export const filesIn = (root: string, folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .sort();
