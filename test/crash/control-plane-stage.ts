/** A sandbox cluster of control planes, and scratch machines that join it as the second one. */

import { mkdir } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { CONTROL_PLANE_PIPELINE } from '../../bin/pipelines.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import type { Containers } from '../../plugins/sandbox/control-plane/containers.ts';
import {
  type ControlPlaneSandbox,
  FIRST_NAME,
  startControlPlaneSandbox,
} from '../../plugins/sandbox/control-plane/index.ts';
import { makeMachine } from '../../plugins/sandbox/machine/machine.ts';
import { startRuntime } from '../../plugins/sandbox/machine/runtime.ts';
import { DEFAULT_PROFILE, type ProfileName, profiles } from '../../plugins/sandbox/profile.ts';
import { rolesOf } from '../helpers/etcd.ts';
import { digest, snapshot } from '../helpers/snapshot.ts';
import type { Programs } from './programs.ts';
import { NODE, type Objects, Stage } from './stage.ts';

/** Resources of which a join creates objects in kube-system. */
const NAMESPACED = ['leases', 'pods'];
const PODS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name) => `${name}-${NODE}`);
/** Random in every run: certificates and keys of this machine, and the kubeconfigs that contain them. */
const OWN =
  /\/pki\/(apiserver|front-proxy-client|etcd\/(server|peer|healthcheck))|\/(admin|controller-manager|scheduler)\.conf$/;

export class ControlPlaneStage extends Stage {
  protected override readonly pipeline = CONTROL_PLANE_PIPELINE;
  declare readonly sandbox: ControlPlaneSandbox;
  /** Root → what runs on the machine. */
  readonly #runtimes = new Map<string, { containers: Containers; close(): Promise<void> }>();

  static async openFor(
    folder: string,
    programs: Programs,
    profile: ProfileName = DEFAULT_PROFILE,
  ): Promise<ControlPlaneStage> {
    const empty = join(folder, 'empty');
    await mkdir(empty, { recursive: true });
    const kubelet = [process.execPath, programs.kubelet];
    await makeMachine(empty, { hostName: NODE, kubelet, kubeletVersion: profiles[profile].gitVersion });
    return new ControlPlaneStage(await startControlPlaneSandbox({ profile }), folder, programs, empty);
  }

  protected override get inputs(): Record<string, unknown> {
    const { certificateKey, advertiseAddress } = this.sandbox;
    return { ...super.inputs, certificateKey, apiserverAdvertiseAddress: advertiseAddress };
  }

  override async machine(from?: string): Promise<string> {
    const root = await super.machine(from);
    const containers = this.sandbox.containersOf(root);
    const runtime = await startRuntime(root, { pods: containers });
    const close = async () => {
      await runtime.close();
      await containers.close();
    };
    this.#runtimes.set(root, { containers, close });
    return root;
  }

  override async clear(root: string): Promise<void> {
    await this.end(root);
    await this.#runtimes.get(root)?.close();
    this.#runtimes.delete(root);
    await super.clear(root);
  }

  override get objects(): Objects {
    return super.objects;
  }
  /** etcd and what is in kube-system are those of the first control plane again. */
  override set objects(wanted: Objects) {
    super.objects = wanted;
    const { store, etcd } = this.sandbox;
    for (const resource of NAMESPACED)
      for (const { metadata } of store.list(resource, 'kube-system'))
        if (!metadata.name.endsWith(FIRST_NAME)) store.delete(resource, metadata.name, 'kube-system');
    for (const { name, peerUrls } of etcd.etcd.members)
      if (name !== FIRST_NAME) etcd.etcd.change('remove', peerUrls[0] ?? '');
  }

  protected override contentOf(path: string, bytes: Buffer, root: string): string {
    if (!OWN.test(path)) return super.contentOf(path, bytes, root);
    const text = bytes.toString();
    return path.endsWith('.crt') ? String(readCertificates(text)[0]?.commonName) : 'a key or a kubeconfig';
  }

  /** Path → digest of the certificates and keys of this machine that are on its disk. */
  certificates(root: string): ReadonlyMap<string, string> {
    const found = snapshot(
      join(root, 'etc'),
      (path) => path.endsWith('.tmp'),
      (_, bytes) => digest(bytes),
    );
    return new Map(Object.entries(found).filter(([path, line]) => OWN.test(path) && line.startsWith('file')));
  }

  override async problemsOfRun(root: string): Promise<string[]> {
    const problems = await super.problemsOfRun(root);
    const roles = rolesOf(this.sandbox.etcd.etcd).join();
    if (roles !== `${FIRST_NAME} voter,${NODE} voter`) problems.push(`the members are ${roles}`);
    const pods = this.#podsOf(root);
    if (pods.join() !== PODS.join()) problems.push(`the Pods are ${pods.join()}`);
    const status = await this.#health();
    if (status !== 200) problems.push(`the API server of the machine answers ${status}`);
    return [...problems, ...this.#leaseProblems()];
  }

  override async problemsOfUndo(root: string, isRemembered: boolean): Promise<string[]> {
    const problems = await super.problemsOfUndo(root, isRemembered);
    const roles = rolesOf(this.sandbox.etcd.etcd).join();
    if (roles !== `${FIRST_NAME} voter`) problems.push(`the members are ${roles}`);
    const pods = this.#podsOf(root);
    if (pods.length > 0) problems.push(`the Pods ${pods.join()} are left`);
    return [...problems, ...this.#leaseProblems()];
  }

  #podsOf(root: string): string[] {
    return (this.#runtimes.get(root)?.containers.list ?? []).map(({ name }) => name).sort();
  }

  #leaseProblems(): string[] {
    const lease = this.sandbox.store.get('leases', 'joinery-etcd', 'kube-system');
    const { holderIdentity } = (lease?.spec ?? {}) as { holderIdentity?: string | null };
    return holderIdentity == null ? [] : [`the lease is held by ${holderIdentity}`];
  }

  /** Undefined if it does not answer. */
  #health(): Promise<number | undefined> {
    const { advertiseAddress, caPem } = this.sandbox;
    return new Promise((resolve) => {
      get(`https://${advertiseAddress}:6443/livez`, { ca: caPem, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', () => resolve(undefined));
    });
  }
}
