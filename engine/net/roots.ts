/**
 * The CA certificates that this machine trusts. Source of the places and rules: Go's crypto/x509, root_unix.go and
 * root_linux.go.
 */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readLimited } from '../limits/read.ts';
import { LIMITS } from '../limits/sizes.ts';

const FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const DIRECTORIES = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
const DIRECTORY_FILES_MAX = 2_000;

/**
 * PEM texts: the first bundle that exists, and the files in the directories. SSL_CERT_FILE replaces the bundles, and
 * SSL_CERT_DIR (separated by colons) the directories. Without any text, this machine trusts no server.
 */
export async function systemRoots(environment: NodeJS.ProcessEnv = process.env): Promise<readonly string[]> {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: directories } = environment;
  const found = new Set<string>();
  for (const path of file ? [file] : FILES) {
    const text = pemOf(path);
    if (text === undefined) continue;
    found.add(text);
    break;
  }
  for (const directory of directories ? directories.split(':').filter(Boolean) : DIRECTORIES)
    for (const path of await filesIn(directory)) {
      const text = pemOf(path);
      if (text !== undefined) found.add(text);
    }
  return [...found];
}

/** Ignores links to files of the same directory: OpenSSL creates one for each certificate. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const paths: string[] = [];
  for (const entry of entries.slice(0, DIRECTORY_FILES_MAX)) {
    const path = join(directory, entry.name);
    const target = entry.isSymbolicLink() ? await readlink(path).catch(() => '') : '/';
    if (target.includes('/')) paths.push(path);
  }
  return paths;
}

function pemOf(path: string): string | undefined {
  try {
    const text = readLimited(path, { bytesMax: LIMITS.certificates, pipes: 'refuse' }).toString('utf8');
    return text.includes('-----BEGIN CERTIFICATE-----') ? text : undefined;
  } catch {
    return undefined;
  }
}
