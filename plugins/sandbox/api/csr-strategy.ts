/** How the API server prepares a CSR: it sets the requester, and each subresource can change only its own part. */
import { isDeepStrictEqual } from 'node:util';
import { KUBELET_CLIENT_SIGNER, kubeletClientProblem, requestOf } from '../controllers/kubelet-client-csr.ts';
import {
  type CertificateSigningRequest,
  type Condition,
  type Draft,
  hasCondition,
  isRecord,
  timestamp,
} from '../objects.ts';
import type { User } from './authentication.ts';
import { CSR_GROUP } from './resources.ts';
import { forbiddenChange, invalid, invalidValue, notSupported, required, type StatusCause } from './status.ts';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const SECONDS_MIN = 600;

/** The requester is the authenticated user, whatever the client sent. The client cannot set a status. */
export function prepareCreate(draft: Draft, user: User, version: string): Draft {
  const spec = isRecord(draft.spec) ? draft.spec : {};
  const { request, usages, expirationSeconds } = spec;
  const signerName = spec.signerName ?? (version === 'v1beta1' ? signerOf({ request, usages }) : undefined);
  const causes = specProblems({ request, signerName, usages, expirationSeconds });
  if (causes.length > 0) throw invalidCsr(draft.metadata?.name ?? '', causes);
  const fields = { request, signerName, usages, ...(expirationSeconds === undefined ? {} : { expirationSeconds }) };
  return { ...draft, spec: { ...fields, username: user.name, groups: user.groups }, status: {} };
}

/** v1beta1 derives the signer from the request. Source: kubernetes, pkg/apis/certificates/v1beta1/defaults.go. */
function signerOf({ request, usages }: Record<string, unknown>): string {
  const csr = { spec: { request: String(request), usages: Array.isArray(usages) ? usages : [], signerName: '' } };
  try {
    if (kubeletClientProblem(csr as unknown as CertificateSigningRequest) === undefined) return KUBELET_CLIENT_SIGNER;
  } catch {
    // Not a certificate request; the checks of the caller report it.
  }
  return 'kubernetes.io/legacy-unknown';
}

/** `part` is the subresource; if it is empty, only the metadata can change. */
export function prepareUpdate(part: string, next: Draft, before: CertificateSigningRequest, now: Date): Draft {
  const { status: newStatus = {} } = next as Pick<CertificateSigningRequest, 'status'>;
  const kept = { ...next, spec: before.spec };
  if (part === '') return { ...kept, status: before.status };
  const conditions = (newStatus.conditions ?? []).map((condition) => stamped(condition, before, now));
  const causes = conditionProblems(conditions, part === 'approval' ? [] : ['Approved', 'Denied'], before);
  if (causes.length > 0) throw invalidCsr(before.metadata.name, causes);
  const status = part === 'approval' ? { ...before.status, conditions } : { ...newStatus, conditions };
  return { ...kept, status };
}

const invalidCsr = (name: string, causes: StatusCause[]) =>
  invalid('CertificateSigningRequest', CSR_GROUP, name, causes);

function specProblems({ request, signerName, usages, expirationSeconds }: Record<string, unknown>): StatusCause[] {
  const causes: StatusCause[] = [];
  const problem = requestProblem(typeof request === 'string' ? request : '');
  if (problem !== undefined) causes.push(invalidValue('spec.request', request, problem));
  if (!Array.isArray(usages) || usages.length === 0) causes.push(required('spec.usages', 'usages must be provided'));
  else
    for (const [index, usage] of usages.entries())
      if (!USAGES.includes(usage)) causes.push(notSupported(`spec.usages[${index}]`, usage, USAGES));
  if (typeof signerName !== 'string' || signerName === '')
    causes.push(required('spec.signerName', 'signerName must be provided'));
  else if (!/^[a-z0-9.-]+\.[a-z0-9-]+\/[a-z0-9.:/-]+$/i.test(signerName))
    causes.push(
      invalidValue(
        'spec.signerName',
        signerName,
        "must be a fully qualified domain and path of the form 'example.com/signer-name'",
      ),
    );
  if (typeof expirationSeconds === 'number' && expirationSeconds < SECONDS_MIN)
    causes.push(
      invalidValue(
        'spec.expirationSeconds',
        expirationSeconds,
        `may not specify a duration less than ${SECONDS_MIN} seconds (10 minutes)`,
      ),
    );
  return causes;
}

function requestProblem(request: string): string | undefined {
  try {
    const spec = { request, signerName: '', usages: [] };
    return requestOf({ spec }).signatureValid ? undefined : 'x509: ECDSA verification failure';
  } catch {
    return 'PEM block type must be CERTIFICATE REQUEST';
  }
}

/** `fixed` lists the condition types that this subresource may neither add nor remove. */
function conditionProblems(
  conditions: readonly Condition[],
  fixed: readonly string[],
  before: CertificateSigningRequest,
): StatusCause[] {
  const field = 'status.conditions';
  const causes: StatusCause[] = [];
  const types = conditions.map(({ type }) => type);
  for (const [index, { type, status }] of conditions.entries()) {
    if (types.indexOf(type) !== index)
      causes.push(invalidValue(`${field}[${index}].type`, type, 'duplicate condition type'));
    if (['Approved', 'Denied', 'Failed'].includes(type) && status !== 'True')
      causes.push(notSupported(`${field}[${index}].status`, status, ['True']));
  }
  const [first, second] = [types.indexOf('Approved'), types.indexOf('Denied')];
  if (first >= 0 && second >= 0) {
    const last = Math.max(first, second);
    const why = 'Approved and Denied conditions are mutually exclusive';
    causes.push(invalidValue(`${field}[${last}].type`, types[last], why));
  }
  for (const type of fixed)
    if (types.includes(type) !== hasCondition(before.status?.conditions, type))
      causes.push(forbiddenChange(field, `updates may not add or remove a condition of type "${type}"`));
  for (const { type } of before.status?.conditions ?? [])
    if (!types.includes(type) && !fixed.includes(type))
      causes.push(forbiddenChange(field, `updates may not remove a condition of type "${type}"`));
  return causes;
}

function stamped(condition: Condition, before: CertificateSigningRequest, now: Date): Condition {
  const same = before.status?.conditions?.find((old) => isDeepStrictEqual(old, { ...old, ...condition }));
  const at = timestamp(now);
  return {
    lastUpdateTime: at,
    lastTransitionTime: same?.lastTransitionTime ?? at,
    ...condition,
    status: condition.status ?? 'True',
  };
}
