import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Transport } from '../../../engine/kube/request.ts';
import { download } from '../../../engine/net/download.ts';
import { systemRoots } from '../../../engine/net/roots.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { ca, document, NEVER, NOW, other, site, trustOnlyOurCa } from '../../helpers/web-servers.ts';

const folder = trustOnlyOurCa();

describe('what this machine trusts by itself', () => {
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder(), name), text);
    return join(folder(), name);
  };

  test('the roots are the file of SSL_CERT_FILE and the files in the directories of SSL_CERT_DIR', async () => {
    const [a, b] = [mkdtempSync(join(folder(), 'a-')), mkdtempSync(join(folder(), 'b-'))];
    writeFileSync(join(a, 'one.pem'), ca.cert);
    writeFileSync(join(a, 'readme'), 'no certificate');
    symlinkSync('one.pem', join(a, '12345678.0')); // as OpenSSL has it, for the same certificate
    writeFileSync(join(b, 'two.crt'), other.cert);
    const file = put('bundle.crt', `${ca.cert}${other.cert}`);
    expect(await systemRoots({ SSL_CERT_FILE: file, SSL_CERT_DIR: `${a}:${b}:${folder()}/none` })).toEqual([
      `${ca.cert}${other.cert}`,
      ca.cert,
      other.cert,
    ]);
    expect(await systemRoots({ SSL_CERT_FILE: join(folder(), 'none'), SSL_CERT_DIR: b })).toEqual([other.cert]);
  });

  test('no root is trusted if both variables name missing paths, not even Node’s own', async () => {
    const nowhere = { SSL_CERT_FILE: join(folder(), 'none'), SSL_CERT_DIR: join(folder(), 'none') };
    expect(await systemRoots(nowhere)).toEqual([]);
    const { url, asked } = await site(document);
    vi.stubEnv('SSL_CERT_FILE', nowhere.SSL_CERT_FILE);
    expect((await joinErrorOf(() => download(url, NEVER))).code).toBe('E_API_CERTIFICATE_UNTRUSTED');
    expect(asked).toEqual([]);
  });

  test('the roots are the operating system’s; SSL_CERT_FILE alone keeps its directories', async () => {
    const system = (await systemRoots({})).join('\n');
    const beside = await systemRoots({ SSL_CERT_FILE: join(folder(), 'ca.crt') });
    expect(beside[0]).toBe(ca.cert);
    expect(system.includes('BEGIN CERTIFICATE')).toBe(beside.length > 1);
  });

  test('an empty CA bundle makes no API server trusted', async () => {
    const transport = new Transport(() => NOW);
    await onTestFinished(() => transport.close());
    const { url } = await site(document);
    const server = url.replace(/\/[^/]*$/, '');
    const request = {
      server,
      as: { ca: '' },
      method: 'GET',
      ref: undefined,
      path: '/',
      query: {},
      body: undefined,
    } as const;
    expect((await joinErrorOf(() => transport.send(request, NEVER))).code).toBe('E_API_CERTIFICATE_UNTRUSTED');
  });
});
