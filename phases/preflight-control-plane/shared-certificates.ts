/** The certificates that all control planes share, on a machine that joins without a certificate key. */
import { type ControlPlaneSettings, readAuthority } from '../../engine/node/index.ts';
import { pemBlocks, privateKeyPem, publicKeyPem, readCertificates } from '../../engine/pki/index.ts';
import { type Files, fail, type Log } from '../../engine/sdk/index.ts';

/** Throws E_CONTROL_PLANE_CERTIFICATES or E_CERTS_CA. `verified` is the CA of discovery. */
export async function assertSharedCertificates(
  { files, log }: { files: Files; log: Log },
  { etcd }: ControlPlaneSettings,
  { directory, verified }: { directory: string; verified: string },
): Promise<void> {
  const problems: string[] = [];
  const names = ['ca', 'front-proxy-ca', ...('external' in etcd ? [] : ['etcd/ca'])];
  for (const name of names)
    try {
      const { certificate, key } = await readAuthority(files, directory, name);
      if (name === 'ca') assertVerified(`${directory}/ca.crt`, certificate.pem, verified);
      if (key === undefined) log.warn(`${directory}/${name}.key does not exist: the CA cannot issue certificates here`);
    } catch (error) {
      if ((error as { code?: string }).code === 'E_CERTS_CA') throw error;
      problems.push((error as Error).message); // one line that names the file
    }
  const problem = await serviceAccountProblem(files, directory);
  if (problem !== undefined) problems.push(problem);
  if (problems.length > 0) throw fail('E_CONTROL_PLANE_CERTIFICATES', { problems });
}

function assertVerified(place: string, pem: string, verified: string): void {
  const trusted = readCertificates(verified);
  if (trusted.some((each) => each.pem === pem)) return;
  throw fail('E_CERTS_CA', {
    place,
    found: readCertificates(pem)[0]?.pin ?? '',
    verified: trusted.map(({ pin }) => pin),
  });
}

/** Tokens that another control plane signed must be valid here, so a new pair is never created. */
async function serviceAccountProblem(files: Files, directory: string): Promise<string | undefined> {
  const [key, publicKey] = await Promise.all(
    ['key', 'pub'].map(async (suffix) => (await files.read(`${directory}/sa.${suffix}`))?.toString('utf8')),
  );
  if (key === undefined) return `${directory}/sa.key does not exist`;
  try {
    const [own] = pemBlocks(publicKeyPem(privateKeyPem(key)));
    const [there] = publicKey === undefined ? [own] : pemBlocks(publicKey);
    const isSame = own !== undefined && there !== undefined && Buffer.from(own.der).equals(there.der);
    return isSame ? undefined : `${directory}/sa.pub is not the public key of sa.key`;
  } catch (error) {
    return `${directory}/sa.key: ${(error as Error).message}`;
  }
}
