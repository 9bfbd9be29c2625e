/** Wrong clocks of the machine, of the cluster, and during a join. */
import type { Fault as ApiFault } from '../../plugins/sandbox/index.ts';
import { EVER, type Fault, type RequestName } from './fault.ts';
import { hinder } from './network.ts';
import type { Scene } from './scene.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
type Ends = Fault['ends'];
const DURATIONS =
  'engine/run/run.ts measures durations by the clock of the machine, and they are negative when it steps back';
const SKEW: Ends = ['E_CLOCK_SKEW', 'trust'];
const WRONG: Ends = ['E_CERTIFICATE_WRONG', 'trust'];

const off = (name: string, where: string, clocks: Fault['clocks'], ends: Ends): Fault => ({
  name,
  where,
  clocks: clocks ?? {},
  inject: () => undefined,
  ends,
  lasting: true,
});
const date = (text: string | undefined): ApiFault => ({ effect: 'headers', headers: { Date: text }, times: EVER });
const undated = (scene: Scene): void => scene.sandbox.faults.add(date(undefined));
const dated = (name: string, where: RequestName, text: string | undefined, ends: Ends): Fault => ({
  name: `a Date ${name}`,
  where,
  inject: (scene) => hinder(scene, where, date(text)),
  ends,
});
/** The clock of the machine changes at this request. */
const jump = (name: string, where: RequestName, byMs: number, ends: Ends): Fault => ({
  ...(byMs < 0 ? { shows: DURATIONS } : {}),
  name: `a step of the machine's clock, ${name},`,
  where,
  inject(scene) {
    const onTriggered = () => {
      scene.machineAheadMs += byMs;
    };
    hinder(scene, where, { effect: 'early', onTriggered });
  },
  ends,
  lasting: true,
});

export const clock: Fault[] = [
  off('the machine is 5 minutes behind', 'discovery', { machineMs: -300 * SECOND_MS }, SKEW),
  off('the machine is 5 minutes ahead', 'discovery', { machineMs: 300 * SECOND_MS }, SKEW),
  off('the machine is 50 seconds behind', 'discovery', { machineMs: -50 * SECOND_MS }, 'survives'),
  off('the machine is 50 seconds ahead', 'discovery', { machineMs: 50 * SECOND_MS }, 'survives'),
  off('the clock of the machine starts in 1970', 'discovery', { machineMs: -Date.now() }, SKEW),
  off('the clock of the machine is 80 years ahead', 'discovery', { machineMs: 80 * 365 * DAY_MS }, SKEW),
  off('the cluster is 5 minutes ahead', 'discovery', { clusterMs: 300 * SECOND_MS }, SKEW),
  off('the cluster is two days behind', 'discovery', { clusterMs: -2 * DAY_MS }, SKEW),
  off('the cluster is two days ahead', 'discovery', { clusterMs: 2 * DAY_MS }, SKEW),
  {
    name: 'the cluster is two days ahead and does not say so',
    where: 'cluster-info, verified',
    clocks: { clusterMs: 2 * DAY_MS },
    inject: undated,
    ends: ['E_API_CERTIFICATE_TIME', 'trust'],
    lasting: true,
  },
  {
    name: 'the machine is two days behind and answers have no Date',
    where: 'cluster-info, verified', // the certificate of the server is checked by the clock of the machine
    clocks: { machineMs: -2 * DAY_MS },
    inject: undated,
    ends: ['E_API_CERTIFICATE_TIME', 'trust'],
    lasting: true,
  },
  {
    name: 'the machine is two years ahead and answers have no Date',
    where: 'cluster-info, verified',
    clocks: { machineMs: 730 * DAY_MS },
    inject: undated,
    ends: ['E_API_CERTIFICATE_TIME', 'trust'],
    lasting: true,
  },
  dated('that is missing', 'cluster-info, unverified', undefined, 'survives'),
  dated('that is nonsense', 'cluster-info, unverified', 'tomorrow', 'survives'),
  dated('that is empty', 'node get', '', 'survives'),
  dated('of 1970', 'cluster-info, unverified', new Date(0).toUTCString(), SKEW),
  dated('of 1970', 'node get', new Date(0).toUTCString(), SKEW),
  dated('of 9999', 'node get', 'Fri, 31 Dec 9999 23:59:59 GMT', SKEW),
  dated('of 1970', 'access review', new Date(0).toUTCString(), 'survives'), // the clock was checked before
  jump('an hour forward', 'cluster-info, verified', HOUR_MS, SKEW),
  jump('an hour back', 'access review', -HOUR_MS, WRONG),
  jump('an hour back', 'CSR create', -HOUR_MS, WRONG),
  jump('an hour forward', 'CSR watch', HOUR_MS, 'survives'),
  jump('an hour forward', 'node list', HOUR_MS, 'survives'),
  jump('an hour back', 'node patch', -HOUR_MS, 'survives'),
];
