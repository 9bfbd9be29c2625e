/**
 * A reservation of the members of etcd, so that control planes that join at the same time take turns. etcd itself
 * refuses a second learner, so a reservation that has ended too early does no harm.
 */
import { fail, isJoinError } from '../../sdk/errors.ts';
import type { Clock, KubeApi, KubeObject, ObjectRef } from '../../sdk/ports.ts';

interface LeaseObject extends KubeObject {
  spec?: { holderIdentity?: string | null; leaseDurationSeconds?: number; acquireTime?: string; renewTime?: string };
}

const REF: ObjectRef = {
  apiVersion: 'coordination.k8s.io/v1',
  resource: 'leases',
  namespace: 'kube-system',
  name: 'joinery-etcd',
};
const SECONDS = 60;

export class EtcdLease {
  readonly #api: KubeApi;
  readonly #clock: Clock;
  readonly #holder: string;

  constructor(api: KubeApi, clock: Clock, holder: string) {
    this.#api = api;
    this.#clock = clock;
    this.#holder = holder;
  }

  /** Runs `act` while this machine holds the lease. Throws E_CONTROL_PLANE_BUSY if another machine holds it. */
  async whileHeld<T>(act: () => Promise<T>): Promise<T> {
    await this.renew();
    try {
      const result = await act();
      await this.release();
      return result;
    } catch (error) {
      await this.release().catch(() => undefined); // it ends by itself
      throw error;
    }
  }

  /** Takes the lease, or extends it. */
  async renew(): Promise<void> {
    const now = this.#clock.now().toISOString().replace('Z', '000Z'); // the type MicroTime of Kubernetes
    const spec = { holderIdentity: this.#holder, leaseDurationSeconds: SECONDS, acquireTime: now, renewTime: now };
    const lease = await this.#api.get<LeaseObject>(REF);
    if (lease === undefined) {
      const { apiVersion, namespace = '', name } = REF;
      const object = { apiVersion, kind: 'Lease', metadata: { name, namespace }, spec };
      if ((await this.#api.create<LeaseObject>(REF, object)) === undefined) throw busy(undefined);
      return;
    }
    if (this.#isOfAnother(lease)) throw busy(lease);
    const { resourceVersion = '' } = lease.metadata;
    try {
      await this.#api.patch<LeaseObject>(REF, { metadata: { resourceVersion }, spec });
    } catch (error) {
      throw isConflict(error) ? busy(undefined) : error;
    }
  }

  async release(): Promise<void> {
    const lease = await this.#api.get<LeaseObject>(REF);
    if (lease?.spec?.holderIdentity !== this.#holder) return;
    const { resourceVersion = '' } = lease.metadata;
    await this.#api.patch<LeaseObject>(REF, { metadata: { resourceVersion }, spec: { holderIdentity: null } });
  }

  #isOfAnother(lease: LeaseObject): boolean {
    const holder = lease.spec?.holderIdentity ?? '';
    return holder !== '' && holder !== this.#holder && endOf(lease).getTime() > this.#clock.now().getTime();
  }
}

/** A time that cannot be read has passed. */
function endOf({ spec }: LeaseObject): Date {
  const renewed = Date.parse(String(spec?.renewTime));
  return new Date(Number.isNaN(renewed) ? 0 : renewed + (spec?.leaseDurationSeconds ?? 0) * 1_000);
}

/** Without a lease: another machine was quicker, and its lease was not read. */
const busy = (lease: LeaseObject | undefined) =>
  fail('E_CONTROL_PLANE_BUSY', {
    holder: lease?.spec?.holderIdentity ?? 'another control plane',
    until: lease === undefined ? 'its join ends' : endOf(lease).toISOString(),
  });

const isConflict = (error: unknown): boolean =>
  isJoinError(error) && error.code === 'E_API_REFUSED' && (error.facts as { status?: number }).status === 409;
