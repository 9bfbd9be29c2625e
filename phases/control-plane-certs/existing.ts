/** A certificate that is already on the machine is kept if it fits. Source: kubeadm, phases/certs/certs.go. */
import {
  bytesOfAddress,
  type Certificate,
  fitsKey,
  isIssuedBy,
  privateKeyPem,
  readCertificates,
} from '../../engine/pki/index.ts';
import type { Clock, Files } from '../../engine/sdk/index.ts';

/** Undefined if `path.crt` and `path.key` can be used, else what is wrong with them. */
export async function pairProblem(
  { files, clock }: { files: Files; clock: Clock },
  path: string,
  authority: Certificate,
  altNames: readonly string[],
): Promise<{ text: string } | undefined> {
  const [certificateText, keyText] = [await textOf(files, `${path}.crt`), await textOf(files, `${path}.key`)];
  if (certificateText === undefined || keyText === undefined)
    return { text: `${path}.${certificateText === undefined ? 'crt' : 'key'} does not exist` };
  let certificate: Certificate | undefined;
  let key: string;
  try {
    [certificate] = readCertificates(certificateText);
    key = privateKeyPem(keyText);
  } catch (error) {
    return { text: `${path}.crt or ${path}.key cannot be read: ${(error as Error).message}` };
  }
  if (certificate === undefined) return { text: `${path}.crt has no certificate` };
  const wrong = (what: string) => ({ text: `${path}.crt ${what}` });
  if (!fitsKey(certificate, key)) return wrong('is not for the key beside it');
  if (!isIssuedBy(certificate, authority.pem)) return wrong(`was not issued by ${authority.commonName}`);
  const now = clock.now();
  if (certificate.notAfter <= now) return wrong(`expired at ${certificate.notAfter.toISOString()}`);
  if (certificate.notBefore > now) return wrong(`is valid only from ${certificate.notBefore.toISOString()} on`);
  const lacking = altNames.filter((name) => !isNamed(certificate, name));
  return lacking.length === 0 ? undefined : wrong(`is not valid for ${lacking.join(', ')}`);
}

const isNamed = ({ x509 }: Certificate, name: string): boolean =>
  (bytesOfAddress(name) === undefined ? x509.checkHost(name, { subject: 'never' }) : x509.checkIP(name)) !== undefined;

const textOf = async (files: Files, path: string): Promise<string | undefined> =>
  (await files.read(path))?.toString('utf8');
