/** The certificates that this machine trusts by itself. Source of the places: Go's crypto/x509, root_linux.go and root_unix.go. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

const FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const DIRECTORIES = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
const BUNDLE_BYTES_MAX = 8 << 20;
const DIRECTORY_FILES_MAX = 2_000;

/**
 * PEM texts: the first bundle that there is, else the certificates of the directories. SSL_CERT_FILE and SSL_CERT_DIR (its parts
 * separated by colons) take their places. Where a machine has none at all, those that Node brings.
 */
export async function systemRoots(environment: NodeJS.ProcessEnv = process.env): Promise<readonly string[]> {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: directories } = environment;
  const found: string[] = [];
  for (const path of file ? [file] : FILES) {
    const text = await pemOf(path);
    if (text !== undefined) {
      found.push(text);
      break;
    }
  }
  if (found.length === 0 || directories)
    for (const directory of directories ? directories.split(':').filter(Boolean) : DIRECTORIES)
      for (const name of (await readdir(directory).catch(() => [])).slice(0, DIRECTORY_FILES_MAX)) {
        const text = await pemOf(join(directory, name));
        if (text !== undefined) found.push(text);
      }
  return found.length === 0 && !file && !directories ? rootCertificates : found;
}

async function pemOf(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text !== undefined && text.length <= BUNDLE_BYTES_MAX && text.includes('-----BEGIN CERTIFICATE-----')
    ? text
    : undefined;
}
