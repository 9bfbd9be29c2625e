/** Servers for tests, on this machine: plain, or with a certificate of their own CA. */
import { createServer as createPlain, type RequestListener, type Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { generateKeyPem, issueCertificate, publicKeyDer } from '../../engine/pki/index.ts';
import { authority, DAY_MS } from './cluster.ts';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

export const plainServer = async (answer: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listening(createPlain(answer))}`;

/** `ca` vouches for it. */
export async function secureServer(answer: RequestListener): Promise<{ url: string; ca: string }> {
  const ca = authority('web');
  const key = generateKeyPem();
  const cert = issueCertificate({
    subject: { commonName: 'localhost', organizations: [] },
    publicKey: publicKeyDer(key),
    issuer: { commonName: 'web', organizations: [] },
    signingKey: ca.key,
    use: 'server',
    altNames: ['127.0.0.1'],
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
  });
  return { url: `https://127.0.0.1:${await listening(createSecure({ key, cert }, answer))}`, ca: ca.pem };
}
