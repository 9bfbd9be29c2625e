/** Readers of certificates, signatures and identities. */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { parse } from 'yaml';
import { kubeletIdentity } from '../../engine/node/index.ts';
import { chainRefusal } from '../../engine/pki/chain.ts';
import { children, content, decode, dottedOid, encode } from '../../engine/pki/der.ts';
import {
  fitsKey,
  isIssuedBy,
  isSignedBy,
  pemBlocks,
  readCertificates,
  readCsr,
  signDetached,
  toPem,
} from '../../engine/pki/index.ts';
import { TrustAnchors } from '../../engine/pki/trust-anchors.ts';
import clusterConfig from '../../phases/cluster-config/index.ts';
import { ca, other } from '../helpers/discovery-file.ts';
import { clusterIn, kubeletConfOf, pinsOf } from '../helpers/kubelet-conf.ts';
import { DER_TOKENS, derShape, PEM_TOKENS, pemShape } from './der-shapes.ts';
import {
  ca2Der,
  caDer,
  configMap,
  csrDer,
  DOCUMENT_BYTES_MAX,
  discover,
  halves,
  inConfigMap,
  inKubeconfig,
  json,
  kubeconfig,
  portsOf,
  signed,
  TOKEN_ID,
  TOKEN_SECRET,
  vector,
  words,
} from './materials.ts';
import { jsonShape, soup, swollen, YAML_TOKENS, yamlShape } from './shapes.ts';
import type { Target } from './target.ts';

const discoveryFile = readFileSync('test/fuzz/corpus/discovery-file/current-context.yaml', 'utf8');
const anchors = new TrustAnchors([vector('ca-bundle.crt')]);

/** Unlike the readers, the verification of a chain never throws: an exception would not be a verdict. */
function verifyChain(der: Buffer): void {
  try {
    for (const presented of [[der], [der, caDer], [ca2Der, der]])
      chainRefusal({ presented, anchors, host: '10.0.0.1', now: new Date('2026-03-04') });
  } catch (error) {
    throw new TypeError('chainRefusal throws', { cause: error });
  }
}

export const trustTargets: Record<string, Target> = {
  identity: {
    async run(bytes) {
      const [conf, pem] = halves(bytes);
      const files: Record<string, string> = {
        '/etc/kubernetes/kubelet.conf': conf ?? kubeconfig,
        '/var/lib/kubelet/pki/kubelet-client-current.pem': pem,
      };
      const identity = await kubeletIdentity(portsOf(clusterConfig, { files }).files);
      identity?.notAfter.toISOString();
    },
    shape: pemShape(DOCUMENT_BYTES_MAX, caDer, ca2Der),
    tokens: [...PEM_TOKENS, '-----BEGIN EC PRIVATE KEY-----\n', '-----END EC PRIVATE KEY-----\n'],
  },

  'discovery-file': {
    /**
     * A kubelet.conf that is written says of its cluster what was verified, and nothing else. Without a CA in the file,
     * the roots of the machine verify the server, and the CA is that of its cluster-info.
     */
    async run(bytes) {
      const outcome = await kubeletConfOf(bytes.toString('utf8'));
      if (outcome instanceof Error) throw outcome;
      const { server, pins } = outcome.verified;
      const verified = { server, pins: isDeepStrictEqual(pins, pinsOf(other.pem)) ? pinsOf(ca.pem) : pins };
      const written = clusterIn(outcome.document);
      if (!isDeepStrictEqual(written, verified))
        throw new TypeError(`wrote ${JSON.stringify(written)}, verified ${JSON.stringify(verified)}`);
    },
    shape: fc.oneof(
      { weight: 3, arbitrary: yamlShape(DOCUMENT_BYTES_MAX, parse(kubeconfig), parse(discoveryFile)) },
      { weight: 1, arbitrary: pemShape(DOCUMENT_BYTES_MAX, caDer, ca2Der).map(inKubeconfig) },
    ),
    tokens: [
      ...YAML_TOKENS,
      ...words(
        'server: |https://|:6443|\\n|@|#|insecure-skip-tls-verify: true|certificate-authority-data: |user: |token: ',
      ),
    ],
  },

  'cluster-info': {
    async run(bytes) {
      const body = json(bytes.toString('utf8'));
      if (body !== undefined) await discover(signed(body)); // the transport refuses a body that is not JSON
    },
    shape: fc.oneof(
      { weight: 2, arbitrary: jsonShape(configMap) },
      { weight: 2, arbitrary: yamlShape(DOCUMENT_BYTES_MAX, parse(kubeconfig)).map(inConfigMap) },
      { weight: 1, arbitrary: pemShape(DOCUMENT_BYTES_MAX, caDer, ca2Der).map(inKubeconfig).map(inConfigMap) },
    ),
    tokens: words(
      `"data":|"kubeconfig":|"metadata":|"jws-kubeconfig-${TOKEN_ID}":|null|{}|[]|""|1|\\n|\\u0000|\\ud800|\\"|-----BEGIN CERTIFICATE-----\\n`,
    ),
  },

  jws: {
    run(bytes) {
      const [payload = '{}', jws] = halves(bytes);
      if (isSignedBy(jws, payload, TOKEN_ID, TOKEN_SECRET) && jws !== signDetached(payload, TOKEN_ID, TOKEN_SECRET))
        throw new Error('two signatures of one text are believed');
    },
    shape: soup([
      ...words('eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9|eyJhbGciOiJub25lIn0|.|..|=|-_|+/|\0|{}| |\n|é'),
      ...[signDetached('{}', TOKEN_ID, TOKEN_SECRET), signDetached('', TOKEN_ID, TOKEN_SECRET)],
    ]),
    tokens: ['.', '..', '=', '\0', '{}'],
  },

  pem: {
    run(bytes) {
      const text = bytes.toString('utf8');
      for (const { label, der } of pemBlocks(text)) toPem(label, der);
      readCertificates(text);
    },
    throwsErrors: true,
    shape: fc.oneof(
      { weight: 20, arbitrary: pemShape(DOCUMENT_BYTES_MAX, caDer, csrDer) },
      { weight: 1, arbitrary: swollen([vector('ca2.crt'), '\n'], DOCUMENT_BYTES_MAX) },
    ),
    tokens: PEM_TOKENS,
  },

  certificate: {
    run(bytes) {
      verifyChain(bytes);
      for (const certificate of readCertificates(toPem('CERTIFICATE', bytes))) {
        isIssuedBy(certificate, vector('ca-bundle.crt'));
        isIssuedBy(certificate, certificate.pem);
        fitsKey(certificate, vector('node.key'));
        certificate.notBefore.toISOString();
        certificate.notAfter.toISOString();
      }
    },
    throwsErrors: true,
    shape: derShape(30_000, caDer, ca2Der),
    tokens: DER_TOKENS,
  },

  csr: {
    run: (bytes) => readCsr(toPem('CERTIFICATE REQUEST', bytes)),
    throwsErrors: true,
    shape: derShape(30_000, csrDer),
    tokens: DER_TOKENS,
  },

  der: {
    run(bytes) {
      const value = decode(bytes);
      encode(value);
      for (const inner of [value, ...children(value)]) {
        content(inner);
        dottedOid(inner);
      }
    },
    throwsErrors: true,
    shape: derShape(DOCUMENT_BYTES_MAX, caDer, csrDer),
    tokens: DER_TOKENS,
  },
};
