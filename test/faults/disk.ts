/** Disks that are full, read-only or broken, and foreign files, at every write of a join. */
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { createCa } from '../../plugins/sandbox/certificates.ts';
import type { DiskFault } from './failing-fs.ts';
import type { Fault } from './fault.ts';
import { treeOf } from './promises.ts';
import type { Scene } from './scene.ts';

const FILE: Fault['ends'] = ['E_FILE', 'machine'];

interface Write {
  path: string;
  pattern?: RegExp;
  kind: 'file' | 'directory' | 'link';
  prepare?: (scene: Scene) => Promise<void>;
}

/** An owner's drop-in that passes nothing to the kubelet, so that the join writes one of its own. */
const bareUnit = (scene: Scene): Promise<void> =>
  scene.lay('etc/systemd/system/kubelet.service.d/10-kubeadm.conf', '[Service]\n');

/** Every write of a join on a machine that has nothing yet, in its order. */
export const writes: Write[] = [
  { path: '/var/lib/kubelet', kind: 'directory' },
  { path: '/var/lib/kubelet/pki', kind: 'directory' },
  { path: '/var/lib/kubelet/pki/kubelet-client-DATE.pem', pattern: /\/kubelet-client-\d[\d-]+\.pem$/, kind: 'file' },
  { path: '/var/lib/kubelet/pki/kubelet-client-current.pem', kind: 'link' },
  { path: '/etc/kubernetes', kind: 'directory' },
  { path: '/etc/kubernetes/kubelet.conf', kind: 'file' },
  { path: '/etc/kubernetes/pki', kind: 'directory' },
  { path: '/etc/kubernetes/pki/ca.crt', kind: 'file' },
  { path: '/var/lib/kubelet/config.yaml', kind: 'file' },
  { path: '/var/lib/kubelet/kubeadm-flags.env', kind: 'file' },
  { path: '/etc/systemd/system/kubelet.service.d/zz-joinery.conf', kind: 'file', prepare: bareUnit },
];

/** Where a kernel says no: a full disk as late as it can. */
const calls = { file: 'open', directory: 'mkdir', link: 'symlink' } as const;
const callOf = (kind: Write['kind'], errno: string): DiskFault['call'] =>
  kind === 'file' && (errno === 'ENOSPC' || errno === 'EDQUOT') ? 'write' : calls[kind];

const failing = (write: Write, call: DiskFault['call'], errno: string, more: Partial<Fault> = {}): Fault => ({
  name: `${errno} on ${call}`,
  where: write.path,
  async inject(scene) {
    await write.prepare?.(scene);
    scene.onDisk({ path: write.pattern ?? write.path, call, errno });
  },
  ends: FILE,
  ...more,
});

const everywhere = writes.flatMap((write) =>
  ['ENOSPC', 'EROFS', 'EACCES'].map((errno) =>
    // The fault is fixed, and the same command runs again.
    failing(write, callOf(write.kind, errno), errno, errno === 'ENOSPC' ? {} : { lasting: true }),
  ),
);
const late = writes
  .filter(({ kind }) => kind === 'file')
  .flatMap((write) => [
    failing(write, 'sync', 'EIO'),
    failing(write, 'rename', 'ENOSPC'),
    ...(write.path.endsWith('.env') ? [failing(write, 'close', 'EDQUOT'), failing(write, 'chmod', 'EPERM')] : []),
  ]);

/** With `--on-failure undo` everything is as it was. */
const undone = writes.map((write): Fault => {
  let before: unknown;
  return failing(write, callOf(write.kind, 'ENOSPC'), 'ENOSPC', {
    name: 'ENOSPC, and undone',
    async inject(scene) {
      await write.prepare?.(scene);
      before = ours(treeOf(scene.root));
      scene.onFailure = 'undo';
      scene.onDisk({ path: write.pattern ?? write.path, call: callOf(write.kind, 'ENOSPC'), errno: 'ENOSPC' });
    },
    lasting: true,
    async also(scene, { result }) {
      expect(result.steps.map(({ status }) => status)).not.toContain('undo-failed');
      expect(ours(treeOf(scene.root))).toEqual(before);
    },
  });
});
const ours = (tree: Map<string, unknown>): unknown =>
  Object.fromEntries([...tree].filter(([path]) => !path.startsWith('/run/kubelet.')));

/** Files of others, and files that cannot be read. */
const ignored = { ignorePreflightErrors: ['all'] };
const laid = (
  name: string,
  path: string,
  lay: (scene: Scene) => unknown,
  ends: Fault['ends'],
  values: object = ignored,
): Fault => ({
  name,
  where: path,
  inject(scene) {
    Object.assign(scene.values, values);
    return lay(scene);
  },
  ends,
  lasting: true,
});
const content = (name: string, path: string, text: string | Buffer, ends: Fault['ends'], values?: object): Fault =>
  laid(name, path, (scene) => scene.lay(path, text, 0o600), ends, values);
const unreadable = (path: string, errno: string, ends: Fault['ends'] = FILE): Fault =>
  laid(
    `${errno} on read`,
    path,
    async (scene) => {
      await scene.lay(path, 'x');
      scene.onDisk({ path, call: 'read', errno });
    },
    ends,
  );
const inPlace = (scene: Scene, path: string): string => join(scene.root, path);
const linked = (name: string, path: string, target: string, ends: Fault['ends']): Fault =>
  laid(
    name,
    path,
    async (scene) => {
      await mkdir(dirname(inPlace(scene, path)), { recursive: true });
      await symlink(target, inPlace(scene, path));
    },
    ends,
  );
const CONF = '/etc/kubernetes/kubelet.conf';
const CURRENT = '/var/lib/kubelet/pki/kubelet-client-current.pem';
const CA = '/etc/kubernetes/pki/ca.crt';

const found: Fault[] = [
  ...[CONF, CA].flatMap((path) => [unreadable(path, 'EIO'), unreadable(path, 'EACCES')]),
  ...['EIO', 'EACCES'].map((errno) => unreadable('/proc/swaps', errno, 'survives')),
  content('the configuration of another cluster', CONF, 'of another cluster', ['E_PREFLIGHT', 'preflight'], {}),
  content('the configuration of another cluster, ignored', CONF, 'of another cluster', 'survives'),
  content('100,000 levels of YAML', CONF, '['.repeat(100_000), 'survives'),
  content('5 MiB', CONF, Buffer.alloc(5 << 20), FILE),
  content('another CA', CA, createCa(new Date()).cert, ['E_CA_FILE_DIFFERS', 'machine']),
  content('no certificate', CA, 'no certificate', ['E_CA_FILE_DIFFERS', 'machine']),
  content('a damaged certificate', CA, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', [
    'E_CA_FILE_DIFFERS',
    'machine',
  ]),
  content('a file in place of a link', CURRENT, 'x', FILE),
  content('a file in place of a directory', '/var/lib/kubelet', 'x', FILE),
  laid('a directory in place of a file', CONF, (scene) => mkdir(inPlace(scene, CONF), { recursive: true }), FILE),
  laid('a directory in place of a file', CA, (scene) => mkdir(inPlace(scene, CA), { recursive: true }), FILE),
  linked('a link to nothing', CONF, '/nowhere/at/all', 'survives'),
  linked('a link to itself', CONF, CONF, FILE),
  linked('a link to nothing', CURRENT, '/nowhere', 'survives'),
  linked('a directory that leads to itself', '/etc/kubernetes', '/etc/kubernetes', FILE),
];

export const disk: Fault[] = [...everywhere, ...late, ...undone, ...found];
