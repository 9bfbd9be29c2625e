/** Dry runs in which something goes wrong: they end as a run would, and change nothing, here or there. */
import type { Fault as ApiFault } from '../../plugins/sandbox/index.ts';
import { serving } from './certificates.ts';
import { deleteToken } from './credentials.ts';
import { EVER, type Fault, LIMIT_MS, REQUESTS, type RequestName } from './fault.ts';

type Ends = Fault['ends'];
/** What a dry run really asks; what it would wait for has a stand-in. */
const ASKED: RequestName[] = [
  'cluster-info, unverified',
  'cluster-info, verified',
  'node get',
  'access review',
  'version',
  'CSR create',
  'kubeadm-config get',
  'kubelet-config get',
];

const row = (name: string, where: RequestName, fault: ApiFault, ends: Ends, more: Partial<Fault> = {}): Fault => ({
  name: `${name}, in a dry run,`,
  where,
  inject: (scene) => scene.at(where, fault),
  ends,
  dryRun: true,
  ...more,
});
const says = (code: number, text: string): ApiFault => ({ effect: 'instead', code, text, times: EVER });

export const dry: Fault[] = [
  ...ASKED.flatMap((where) => [
    row('connection reset, once', where, { effect: 'reset' }, 'survives'),
    row('half a body, once', where, { effect: 'truncated' }, 'survives'),
    row(
      '503, forever',
      where,
      { effect: 'unavailable', times: EVER },
      where === 'version' ? 'survives' : ['E_API_UNAVAILABLE', 'cluster'],
    ),
    row('silence', where, { effect: 'latency', latencyMs: 600_000, times: EVER }, ['E_STEP_TIME_LIMIT', 'timeLimit'], {
      limitsMs: { [REQUESTS[where].step]: LIMIT_MS },
    }),
  ]),
  row('no version', 'version', says(200, '{}'), 'survives'),
  row('null', 'version', says(200, 'null'), 'survives'),
  row('a version before 1.13', 'version', says(200, '{"major":"1","minor":"12+"}'), 'survives'),
  row('403', 'version', says(403, '{"message":"no"}'), 'survives'),
  row(
    'a webhook that cannot try',
    'CSR create',
    says(400, '{"message":"admission webhook x does not support dry run"}'),
    'survives',
  ),
  row('403', 'CSR create', { effect: 'forbidden' }, ['E_API_FORBIDDEN', 'cluster']),
  row('null', 'CSR create', says(200, 'null'), ['E_API_ANSWER', 'cluster']),
  {
    name: 'a certificate of an unknown CA, in a dry run,',
    where: 'cluster-info, verified',
    inject: ({ sandbox }) => sandbox.serveWith(serving({})),
    ends: ['E_API_CERTIFICATE_UNTRUSTED', 'trust'],
    dryRun: true,
  },
  {
    name: 'a token that is gone, in a dry run,',
    where: 'cluster-info, unverified',
    inject: deleteToken,
    ends: ['E_TOKEN_UNKNOWN', 'trust'],
    dryRun: true,
  },
];
