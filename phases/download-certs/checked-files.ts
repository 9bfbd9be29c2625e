/** Everything is decrypted and parsed before the first file is written, and written only as it was parsed. */
import {
  certificatesPem,
  fitsKey,
  openSealed,
  pemBlocks,
  privateKeyPem,
  readCertificates,
  toPem,
} from '../../engine/pki/index.ts';
import { fail, Secret } from '../../engine/sdk/index.ts';

/** A CA may keep its key elsewhere. Everything else has to be in the Secret. */
const OPTIONAL = ['ca.key', 'front-proxy-ca.key', 'etcd-ca.key'];

/** The content by data key. Throws E_CERTIFICATE_KEY or E_CERTS_SECRET. */
export function checkedFiles(sealed: ReadonlyMap<string, Buffer | undefined>, key: Secret): Map<string, Secret> {
  const opened = new Map<string, Secret>();
  const empty = [...sealed].flatMap(([dataKey, content]) =>
    content === undefined && !OPTIONAL.includes(dataKey) ? [dataKey] : [],
  );
  if (empty.length > 0) throw fail('E_CERTS_SECRET', { what: `${empty.join(', ')} is empty` });
  for (const [dataKey, content] of sealed)
    if (content !== undefined) opened.set(dataKey, new Secret(openedText(dataKey, content, key)));
  const problems = [...opened].flatMap(([dataKey, text]) => {
    try {
      opened.set(dataKey, new Secret(parsed(dataKey, text.reveal())));
      return [];
    } catch (error) {
      return [`${dataKey}: ${(error as Error).message}`];
    }
  });
  for (const name of ['ca', 'front-proxy-ca', 'etcd-ca', 'external-etcd'])
    if (problems.length === 0 && !isPair(opened, name)) problems.push(`${name}.key is not the key of ${name}.crt`);
  if (problems.length > 0) throw fail('E_CERTS_SECRET', { what: problems.join('; ') });
  return opened;
}

function openedText(dataKey: string, content: Buffer, key: Secret): string {
  try {
    return openSealed(key.reveal(), content).toString('utf8');
  } catch (error) {
    throw fail('E_CERTIFICATE_KEY', { file: dataKey, what: (error as Error).message }, error);
  }
}

function parsed(dataKey: string, text: string): string {
  if (dataKey.endsWith('.key')) return privateKeyPem(text);
  if (dataKey.endsWith('.crt')) {
    const pem = certificatesPem(text);
    if (pem === '') throw new Error('it has no certificate');
    return pem;
  }
  const block = pemBlocks(text).find(({ label }) => label.endsWith('PUBLIC KEY'));
  if (block === undefined) throw new Error('it has no public key');
  return toPem(block.label, block.der);
}

/** Whether key and certificate belong together, if both are there. */
function isPair(opened: ReadonlyMap<string, Secret>, name: string): boolean {
  const [certificate, key] = [opened.get(`${name}.crt`)?.reveal(), opened.get(`${name}.key`)?.reveal()];
  if (certificate === undefined || key === undefined) return true;
  const [first] = readCertificates(certificate);
  return first !== undefined && fitsKey(first, key);
}
