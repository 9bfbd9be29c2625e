/** The file with the cluster's CA that a machine may already have. */
import { readCertificates } from '../pki/index.ts';
import { fail } from '../sdk/errors.ts';
import type { Files } from '../sdk/ports.ts';

/**
 * kubeadm keeps an existing CA file even if it differs. The kubelet and the cluster would then not trust each other.
 */
export async function assertNoOtherCa(files: Files, path: string, ca: string): Promise<void> {
  const existing = (await files.read(path))?.toString('utf8');
  if (existing === undefined || existing.trim() === ca.trim()) return;
  const [found, expected] = [pinsOf(existing), pinsOf(ca)];
  if (found.join() !== expected.join())
    throw fail('E_CA_FILE_DIFFERS', { path, found: found.join(' ') || 'no certificate', wanted: expected.join(' ') });
}

/** Empty if one of the certificates cannot be parsed. */
function pinsOf(pem: string): string[] {
  try {
    return readCertificates(pem).map(({ pin }) => pin);
  } catch {
    return [];
  }
}
