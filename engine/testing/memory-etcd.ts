/** An etcd in memory. It refuses what etcd refuses, in the same words. */
import { type EtcdAction, type EtcdWait, memberAt } from '../host/etcd/members.ts';
import { fail } from '../sdk/errors.ts';
import type { EtcdMember, EtcdStatus } from '../sdk/ports.ts';

export interface MemoryEtcdOptions {
  members: readonly EtcdMember[];
  /** The name with which a new member starts; undefined if it never starts. */
  starts?: string;
  /** How often a promotion is refused, because the learner is not in sync yet. */
  refusals?: number;
  /** By client URL: what a member reports as errors, or that it does not answer. */
  ill?: Readonly<Record<string, readonly string[] | 'silent'>>;
  version?: string;
  /** Whether a learner that has started has all data. Default: always. */
  isInSync?: (peerUrl: string) => boolean;
  /** Called when a member has been removed: its program ends. */
  removed?: (peerUrl: string) => void;
}

export class MemoryEtcd {
  members: EtcdMember[];
  readonly #options: MemoryEtcdOptions;
  /** Peer URLs of members whose program has ended. */
  readonly #stopped = new Set<string>();
  #refusals: number;
  #lastId = 0x8e9e05c52164694dn;

  constructor(options: MemoryEtcdOptions) {
    this.#options = options;
    this.members = [...options.members];
    this.#refusals = options.refusals ?? 0;
  }

  /** The members, as one of the endpoints lists them. */
  list(endpoints: readonly string[]): EtcdMember[] {
    if (endpoints.some((endpoint) => this.#options.ill?.[endpoint] !== 'silent')) return this.members;
    const problems = endpoints.map((endpoint) => `${endpoint}: nothing listens there (ECONNREFUSED)`);
    throw fail('E_ETCD_UNREACHABLE', { problems });
  }

  status(endpoint: string): EtcdStatus {
    const ill = this.#options.ill?.[endpoint] ?? [];
    const isMember = this.members.some(({ clientUrls }) => clientUrls.includes(endpoint));
    if (ill === 'silent' || !isMember)
      throw fail('E_ETCD_UNREACHABLE', { problems: [`${endpoint}: nothing listens there (ECONNREFUSED)`] });
    return { version: this.#options.version ?? '3.6.8', errors: ill };
  }

  /** A refusal of a promotion is repeated like that of a real host. */
  change(action: EtcdAction, peerUrl: string): void {
    const member = memberAt(this.members, peerUrl);
    if (action === 'add-learner' || action === 'add-voter') this.#add(peerUrl, action === 'add-learner');
    else if (member === undefined) throw refused(action, 'etcdserver: member not found');
    else if (action === 'promote') this.#promote(member);
    else this.#remove(member);
  }

  /** Returns the directory with the data of a member that has started. */
  wait({ until, at }: EtcdWait): string[] {
    const { starts } = this.#options;
    if (until !== 'started') return [];
    const member = memberAt(this.members, at);
    if (member === undefined || starts === undefined) throw new Error(`the member ${at} never starts`);
    this.start(at, starts, [at.replace(':2380', ':2379')]);
    return ['/var/lib/etcd/member'];
  }

  /** What a member announces when its program starts. It must have been added. */
  start(peerUrl: string, name: string, clientUrls: readonly string[]): void {
    const member = memberAt(this.members, peerUrl);
    if (member === undefined) throw new Error(`no member has the peer URL ${peerUrl}`);
    this.#stopped.delete(peerUrl);
    this.#replace(member, { ...member, name, clientUrls });
  }

  /** Its program has ended. It stays a member. */
  stop(peerUrl: string): void {
    this.#stopped.add(peerUrl);
  }

  /** Throws unless the member at this client URL can answer questions about members. */
  assertAnswers(clientUrl: string): void {
    if (this.members.find(({ clientUrls }) => clientUrls.includes(clientUrl))?.isLearner === true)
      throw refused('ask', 'etcdserver: rpc not supported for learner');
    const voters = this.#voters();
    const leading = voters.filter((voter) => voter.name !== '' && !this.#isSilent(voter));
    if (leading.length * 2 <= voters.length) throw refused('ask', 'etcdserver: no leader');
  }

  /** Throws if no member has this ID. */
  peerUrlOf(id: string): string {
    const [peerUrl] = this.members.find((member) => member.id === id)?.peerUrls ?? [];
    if (peerUrl === undefined) throw refused('find', 'etcdserver: member not found');
    return peerUrl;
  }

  #add(peerUrl: string, isLearner: boolean): void {
    if (memberAt(this.members, peerUrl)) throw refused('add', 'etcdserver: Peer URLs already exists');
    if (isLearner && this.members.some((member) => member.isLearner))
      throw refused('add', 'etcdserver: too many learner members in cluster');
    if (!isLearner) this.#requireStarted('add', [...this.#voters(), undefined]);
    this.#lastId += 1n;
    const id = this.#lastId.toString(16);
    this.members.push({ id, name: '', peerUrls: [peerUrl], clientUrls: [], isLearner });
  }

  #promote(member: EtcdMember): void {
    if (!member.isLearner) throw refused('promote', 'etcdserver: can only promote a learner member');
    const [peerUrl = ''] = member.peerUrls;
    if (member.name === '' || this.#refusals-- > 0 || this.#options.isInSync?.(peerUrl) === false)
      throw refused('promote', 'etcdserver: can only promote a learner member which is in sync with leader');
    this.#replace(member, { ...member, isLearner: false });
  }

  #remove(member: EtcdMember): void {
    const others = this.#voters().filter((other) => other !== member);
    if (!member.isLearner) {
      this.#requireStarted('remove', others);
      const answering = others.filter((other) => !this.#isSilent(other));
      if (answering.length * 2 <= others.length) throw refused('remove', 'etcdserver: unhealthy cluster');
    }
    this.members = this.members.filter((other) => other !== member);
    this.#options.removed?.(member.peerUrls[0] ?? '');
  }

  #isSilent({ peerUrls, clientUrls: [url = ''] }: EtcdMember): boolean {
    return this.#options.ill?.[url] === 'silent' || peerUrls.some((peerUrl) => this.#stopped.has(peerUrl));
  }

  /** Without a majority of started voters, etcd could not change its members again. */
  #requireStarted(what: string, voters: readonly (EtcdMember | undefined)[]): void {
    const started = voters.filter((voter) => voter !== undefined && voter.name !== '');
    if (what === 'add' && started.length === 1 && voters.length === 2) return; // etcd allows the first one
    if (started.length * 2 <= voters.length)
      throw refused(what, 'etcdserver: re-configuration failed due to not enough started members');
  }

  #voters(): EtcdMember[] {
    return this.members.filter(({ isLearner }) => !isLearner);
  }

  #replace(member: EtcdMember, next: EtcdMember): void {
    this.members = this.members.map((other) => (other === member ? next : other));
  }
}

const refused = (what: string, message: string) =>
  fail('E_ETCD_REFUSED', { endpoint: 'https://198.51.100.11:2379', what: `${what} a member`, message });
