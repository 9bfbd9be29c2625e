import { describe, expect, test } from 'vitest';
import { kubeletIdentity, paths } from '../../../engine/node/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { authority, issue, SERVER } from '../../helpers/cluster.ts';
import { portsOn } from '../../helpers/machine.ts';
import { heldIdentity } from '../../helpers/node.ts';
import { processorMs } from '../../helpers/processor-time.ts';

const ca = authority();
const held = heldIdentity(SERVER, ca.pem, issue(ca));
const identityIn = (files: Record<string, string>) => {
  return kubeletIdentity(portsOn(memoryHost({ files })).ports.files);
};
const withConf = (change: (conf: string) => string, more: Record<string, string> = {}) =>
  identityIn({ ...held, [paths.kubeletConf]: change(held[paths.kubeletConf] ?? ''), ...more });
const inFile = (conf: string): string => {
  const changed = conf.replace(/certificate-authority-data: .*/, 'certificate-authority: /srv/ca.crt');
  expect(changed).not.toBe(conf);
  return changed;
};

describe('the identity that a kubelet holds', () => {
  test("the kubelet's identity is read with its CA, from the kubeconfig or its CA file", async () => {
    expect(await identityIn(held)).toMatchObject({ server: SERVER, nodeName: 'w1', ca: ca.pem });
    expect(await withConf(inFile, { '/srv/ca.crt': ca.pem })).toMatchObject({ nodeName: 'w1', ca: ca.pem });
  });

  test("the kubelet's key is read, and a file of unterminated keys takes linear time", async () => {
    const pem = held[paths.kubeletCurrentPem] ?? '';
    const key = /-----BEGIN EC PRIVATE KEY-----[\s\S]*/.exec(pem)?.[0];
    expect((await identityIn(held))?.key.reveal()).toBe(key);
    const begun = processorMs();
    const endless = (pem.split('-----BEGIN EC')[0] ?? '') + '-----BEGIN EC PRIVATE KEY-----\n'.repeat(100_000);
    expect(await identityIn({ ...held, [paths.kubeletCurrentPem]: endless })).toBeUndefined();
    expect(processorMs() - begun).toBeLessThan(5_000);
  });

  test("the kubelet's identity is undefined if a part of it is missing or broken", async () => {
    const { [paths.kubeletConf]: _, ...pemOnly } = held;
    expect(await identityIn(pemOnly)).toBeUndefined();
    expect(await withConf(inFile)).toBeUndefined();
    expect(
      await withConf(inFile, { '/srv/ca.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
    ).toBeUndefined();
    expect(await withConf(() => 'clusters: {')).toBeUndefined();
  });
});
