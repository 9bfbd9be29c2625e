/** The etcd of a sandbox cluster: its first member, and those that static Pods start. */
import { serveEtcd } from '../../../engine/testing/etcd-server.ts';
import { MemoryEtcd } from '../../../engine/testing/memory-etcd.ts';
import type { KeyPair } from '../certificates.ts';
import type { Running } from './container.ts';

/** How long a learner needs for the data of the others. */
const CATCH_UP_MS = 100;
const FIRST_ID = '8e9e05c52164694d';

export interface EtcdCluster {
  etcd: MemoryEtcd;
  /** PEM of the CA of etcd. */
  ca: string;
  /** Registers a member whose program has started. */
  joined(peerUrl: string, name: string, member: JoinedMember): Running;
  /** Whether the member votes, and its program runs. */
  isServing(clientUrl: string): boolean;
  close(): Promise<void>;
}

export interface JoinedMember {
  clientUrl: string;
  server: { close(): Promise<void> };
}

export interface FirstMember extends KeyPair {
  name: string;
  address: string;
  ca: string;
  version: string;
}

export async function startEtcdCluster({ name, address, ca, version, ...pair }: FirstMember): Promise<EtcdCluster> {
  const [peerUrl, clientUrl] = [`https://${address}:2380`, `https://${address}:2379`];
  const startedAt = new Map<string, number>();
  const running = new Map<string, JoinedMember>();
  const etcd = new MemoryEtcd({
    members: [{ id: FIRST_ID, name, peerUrls: [peerUrl], clientUrls: [clientUrl], isLearner: false }],
    version,
    isInSync: (url) => performance.now() - (startedAt.get(url) ?? performance.now()) >= CATCH_UP_MS,
    removed: (url) => void end(url),
  });
  /** The program of a member ends. */
  async function end(url: string, member = running.get(url)): Promise<void> {
    if (member === undefined || running.get(url) !== member) return;
    running.delete(url);
    etcd.stop(url);
    await member.server.close();
  }
  const server = await serveEtcd(etcd, { url: clientUrl, ...pair, ca });
  return {
    etcd,
    ca,
    joined(url, memberName, member) {
      etcd.start(url, memberName, [member.clientUrl]);
      startedAt.set(url, performance.now());
      running.set(url, member);
      return { stop: () => end(url, member) };
    },
    isServing: (url) =>
      [...running.values()].some((member) => member.clientUrl === url) &&
      etcd.members.some(({ clientUrls, isLearner }) => !isLearner && clientUrls.includes(url)),
    async close() {
      for (const url of [...running.keys()]) await end(url);
      await server.close();
    },
  };
}
