/** The state of a machine and its cluster, in a form that two joins have in common. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { MachineFiles } from '../../engine/host/files.ts';
import { nodeUser, paths } from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import { joineryPaths } from '../../engine/sdk/index.ts';
import type { FakeCluster } from './cluster.ts';
import type { MemoryDisk } from './memory-disk.ts';

export const NODE = 'w1';
export const PEM = /kubelet-client-\d{4}(-\d\d){5}\.pem/g;
export const RUN_ID = /\d{8}-\d{6}-[0-9a-f]{4}/g;
/** Different in every run. */
const RANDOM = /^\/run\/joinery\/|kubelet-client-\d/;
const IN_JOURNAL = /"(sum|digest|after)":"\w+"|-----BEGIN.*?END CERTIFICATE-----|"(csr|node-csr)-[^"]*"/g;
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----.*/s;

export function stableTree(disk: MemoryDisk): Map<string, string> {
  const lines = [...disk.tree()].map(([path, line]): [string, string] => {
    const isRandom = path.search(PEM) !== -1;
    return [
      path.replace(PEM, 'PEM'),
      isRandom ? line.replace(/-----BEGIN.*/s, 'certificate and key') : line.replace(PEM, 'PEM'),
    ];
  });
  return new Map(lines.filter(([path]) => !`${path}/`.startsWith(`${joineryPaths.state}/`)));
}

export function stableShape(disk: MemoryDisk, cluster: FakeCluster): unknown[] {
  const lines = [...disk.tree()].map(([path, line]) => {
    if (path.endsWith('journal.jsonl')) return line.replaceAll(IN_JOURNAL, '');
    return RANDOM.test(path) ? `${path} ${line.length >> 6}` : `${path} ${line}`;
  });
  const objects = [...cluster.objects.values()].map(({ metadata, ...object }) => [
    metadata.annotations,
    (object as { status?: { conditions?: unknown } }).status?.conditions,
  ]);
  return [lines, objects];
}

/** What is wrong with the certificate and key on the disk, and with their CSR. */
export async function identityProblems(disk: MemoryDisk, cluster: FakeCluster): Promise<string[]> {
  const problems: string[] = [];
  const pem = (await new MachineFiles('/', disk.calls).read(paths.kubeletCurrentPem))?.toString() ?? '';
  const [leaf] = readCertificates(pem);
  const key = KEY.exec(pem)?.[0];
  if (leaf?.commonName !== nodeUser(NODE)) problems.push('no identity is on the disk');
  else if (key === undefined || !new X509Certificate(pem).checkPrivateKey(createPrivateKey(key)))
    problems.push('its key is another');
  const requests = [...cluster.objects].filter(([path]) => path.includes('certificatesigningrequests'));
  if (requests.length !== 1) problems.push(`there are ${requests.length} CSRs`);
  const issued = requests.map(([, object]) =>
    Buffer.from((object as { status?: { certificate?: string } }).status?.certificate ?? '', 'base64').toString(),
  );
  if (!issued.some((certificate) => certificate !== '' && pem.startsWith(certificate.trim())))
    problems.push('the certificate is of no CSR');
  return problems;
}

export function differences(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  const paths = [...new Set([...expected.keys(), ...found.keys()])].filter(
    (path) => expected.get(path) !== found.get(path),
  );
  return paths.map(
    (path) =>
      `${path}: expected ${expected.get(path)?.slice(0, 80) ?? 'nothing'}, found ${found.get(path)?.slice(0, 80) ?? 'nothing'}`,
  );
}
