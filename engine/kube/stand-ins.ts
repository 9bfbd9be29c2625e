/** Stand-ins for objects that only a real run can get: a signed certificate, a registered Node. */

import type { CsrObject, NodeObject } from '../node/objects.ts';
import { generateKeyPem, issueCertificate, readCertificates, readCsr } from '../pki/index.ts';
import { fail } from '../sdk/errors.ts';
import type { Identity, KubeObject, ObjectRef } from '../sdk/ports.ts';

const DAY_MS = 86_400_000;

export class StandIns {
  readonly #caKey = generateKeyPem();
  readonly #issued = new Set<string>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Whether the identity's certificate was issued here. No server knows it. */
  isStandIn(identity: Identity): boolean {
    return identity.certificate !== undefined && this.#issued.has(fingerprint(identity.certificate.pem));
  }

  /** The object that a completed wait would return. E_UNDECIDED for kinds without a stand-in. */
  done(ref: ObjectRef, from: unknown): KubeObject {
    if (ref.resource === 'certificatesigningrequests' && from !== undefined) return this.#signed(from as CsrObject);
    if (ref.resource === 'nodes') return node(ref.name, from as NodeObject | undefined);
    throw fail('E_UNDECIDED', { what: `the final state of ${ref.resource} ${ref.name}` });
  }

  /** The object sent, as a server would return it. */
  stored(ref: ObjectRef, sent: object | undefined): object {
    const { metadata, ...rest } = (sent ?? {}) as { metadata?: object };
    return { ...rest, metadata: { uid: 'stand-in', name: ref.name, ...metadata } };
  }

  /** Signed by a throwaway CA, so that the checks of key, subject and dates run as in a real run. */
  #signed(request: CsrObject): CsrObject {
    const csr = readCsr(Buffer.from(request.spec.request, 'base64').toString('utf8'));
    const now = this.#now().getTime();
    const certificate = issueCertificate({
      subject: { commonName: csr.commonName, organizations: csr.organizations },
      publicKey: csr.publicKey,
      issuer: { commonName: 'dry run', organizations: [] },
      signingKey: this.#caKey,
      use: request.spec.usages.includes('server auth') ? 'server' : 'client',
      altNames: csr.altNames,
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + 365 * DAY_MS),
    });
    this.#issued.add(fingerprint(certificate));
    return {
      ...request,
      status: {
        certificate: Buffer.from(certificate).toString('base64'),
        conditions: [{ type: 'Approved', status: 'True', reason: 'DryRun' }],
      },
    };
  }
}

const fingerprint = (pem: string): string => readCertificates(pem)[0]?.x509.fingerprint256 ?? '';

const node = (name: string, current: NodeObject | undefined): NodeObject => ({
  metadata: {
    uid: 'stand-in',
    ...current?.metadata,
    name,
    labels: { 'kubernetes.io/hostname': name, ...current?.metadata.labels },
  },
  ...(current?.spec && { spec: current.spec }),
  status: {
    nodeInfo: { kubeletVersion: 'dry run' },
    conditions: [{ type: 'Ready', status: 'True' }],
    allocatable: { 'ephemeral-storage': '1Gi' },
    ...(current?.spec?.configSource && { config: { assigned: current.spec.configSource } }),
  },
});
