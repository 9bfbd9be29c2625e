/**
 * The table of certificates against a real client that is written in Go: kubectl. Loopback only; needs nothing but
 * kubectl.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ChainFault } from '../../engine/pki/chain.ts';
import { type CertificateCase, HOST } from '../helpers/certificates/case.ts';
import { certificateTable } from '../helpers/certificates/table.ts';
import { launch } from './command.ts';

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'joinery-certificates-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What Go says of each fault. Of a CA that it does not even try, it says that it is unknown. */
const reasons: Record<ChainFault, RegExp> = {
  unreadable: /x509: |handshake failure/,
  'unknown-authority': /unknown authority|unable to load root certificates|x509: (negative|IP constraint|unsupported)/,
  expired: /has expired .* is after/,
  'not-yet-valid': /not yet valid: .* is before/,
  'host-mismatch': /valid for|IP SANs|legacy Common Name/,
  'name-constraint': /not authorized to sign for this name/,
  'path-length': /too many intermediates/,
  'not-a-ca': /cannot sign this kind|not authorized to sign other/,
  'key-usage': /cannot sign this kind/,
  'extended-key-usage': /incompatible key usage/,
  'signature-algorithm': /insecure algorithm|algorithm unimplemented|unknown authority/,
  'weak-key': /unknown authority|key too small/,
  'unsupported-key': /larger than 8192 bits|handshake failure/,
  'critical-extension': /unhandled critical extension/,
  'too-many-certificates': /signature check attempts limit/,
};

/** What kubectl reports about the server of this row; empty if it accepts the answer. */
async function complaintOf({ chain, leaf, roots, host }: CertificateCase): Promise<string> {
  const server = https.createServer(
    {
      cert: chain.map(({ pem }) => pem).join(''),
      key: leaf.key.export({ type: 'pkcs8', format: 'pem' }),
      // OpenSSL would not serve SHA-1 or small keys; it is for the client to refuse them.
      ciphers: 'DEFAULT@SECLEVEL=0',
    },
    (_, response) => response.setHeader('content-type', 'application/json').end('{"gitVersion":"v1.30.0"}'),
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const ca = join(folder, 'ca.crt');
  writeFileSync(ca, roots.map(({ pem }) => pem).join(''));
  const address = `https://${HOST}:${(server.address() as AddressInfo).port}`;
  const flags = ['--server', address, '--certificate-authority', ca, '--kubeconfig', '/dev/null', '--token', 't'];
  if (host !== HOST) flags.push('--tls-server-name', host);
  try {
    const { code, stderr } = await launch(['kubectl', ...flags, 'get', '--raw', '/version']).done;
    return code === 0 ? '' : stderr;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe.skipIf(!hasKubectl)('kubectl', () => {
  const rows = certificateTable().filter(({ unservable }) => unservable === undefined);
  test.each(rows)('has the same verdict: $title: $verdict', async (entry) => {
    const complaint = await complaintOf(entry);
    const isStricter = entry.stricter !== undefined && complaint === '';
    const verdict = complaint === '' ? 'verified' : 'refused';
    expect(isStricter ? 'refused' : verdict, complaint).toBe(entry.verdict === 'verified' ? 'verified' : 'refused');
    if (complaint !== '') expect(complaint).toMatch(reasons[entry.verdict as ChainFault]);
  });
});
