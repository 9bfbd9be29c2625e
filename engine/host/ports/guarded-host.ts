/**
 * The host as the ports of one attempt reach it: reads, waits and changes that the phase has declared, each change
 * recorded before it is applied.
 */
import { dirname } from 'node:path';
import { isDeepStrictEqual as isEqual } from 'node:util';
import { fail } from '../../sdk/errors.ts';
import type { MakeRandom } from '../../sdk/ports.ts';
import type { Secret } from '../../sdk/secret.ts';
import {
  appliesWhole,
  type Change,
  checkChange,
  createsParents,
  describeChange,
  type StepChange,
} from '../changes/index.ts';
import { type Host, readerOf, type Wait } from '../host.ts';
import { requireSize } from '../limits.ts';
import type { Answers, Query, Read } from '../query.ts';
import { type PermissionOptions, Permissions } from './permissions.ts';
import { leavesBounds } from './real-paths.ts';

/** The longest description that a journal keeps, without the content of a file. */
const DESCRIPTION_LENGTH_MAX = 64 << 10;

export interface PortsOptions extends PermissionOptions {
  host: Host;
  log: (level: 'info' | 'warn', text: string) => void;
  onChange: (change: StepChange) => void;
  /** Called before each wait. The returned function is called at its end. */
  onWait?: (wait: Wait) => () => void;
  /** Called when a dry run uses a stand-in. */
  onStandIn?: () => void;
  /**
   * Awaited before each change, so that the journal records it first. The change is undefined if the cluster applies
   * it. The returned function is called if the change was refused.
   */
  record: (described: StepChange, change: Change | undefined) => Promise<() => Promise<void>>;
  once: (name: string, make: MakeRandom, which: 'once' | 'again') => Promise<Secret>;
}

export class GuardedHost {
  readonly permissions: Permissions;
  readonly options: PortsOptions;
  readonly #read: Read;

  constructor(options: PortsOptions) {
    this.options = options;
    this.permissions = new Permissions(options);
    this.#read = readerOf(options.host, options.signal);
  }

  /** A property, so that it can be passed to the kinds of changes. */
  readonly read: Read = async <Q extends Query>(query: Q): Promise<Answers[Q['kind']]> => {
    this.permissions.requireAlive(`reading ${query.kind}`);
    return this.#read(query);
  };

  /** `what` names the wait in the error of an attempt that has ended. */
  async wait(what: string, condition: Wait): Promise<unknown> {
    this.permissions.requireAlive(`waiting for ${what}`);
    return this.waitUnchecked(condition);
  }

  async waitUnchecked(condition: Wait): Promise<unknown> {
    const { host, signal, onWait, onStandIn } = this.options;
    const ended = onWait?.(condition);
    try {
      return await host.wait(condition, signal, onStandIn);
    } finally {
      ended?.();
    }
  }

  /** Applies the change, unless the machine is already as the change would leave it. */
  async change(change: Change): Promise<void> {
    // Also if nothing would change: an undeclared effect is an error on every machine.
    checkChange(change, this.permissions);
    await this.#requireRealPaths(change);
    const described = await describeChange(change, this.read);
    if (described === undefined) return;
    if (createsParents(change)) await this.#createParents(change.path);
    this.permissions.requireAlive(change.kind);
    await this.#commit(change, described);
  }

  async #requireRealPaths(change: Change): Promise<void> {
    const { bounds } = this.permissions;
    const outside = bounds && (await leavesBounds(bounds, change, this.read));
    if (outside !== undefined) throw fail('E_EFFECT_UNDECLARED', { what: outside });
  }

  async record(described: StepChange, change?: Change): Promise<() => Promise<void>> {
    const { length } = JSON.stringify({ ...described, content: undefined });
    requireSize(described.kind, length, DESCRIPTION_LENGTH_MAX);
    return this.options.record(described, change);
  }

  /** A missing parent directory is a separate change: plans show it, and an undo removes it. */
  async #createParents(path: string): Promise<void> {
    const parent = dirname(path);
    // The root itself may be missing, and is not created.
    if (parent === '/' || (await this.read({ kind: 'stat', path: parent })) !== undefined) return;
    await this.#createParents(parent);
    const change = { kind: 'directory', path: parent, mode: 0o755 } as const;
    await this.#commit(change, change);
  }

  async #commit(change: Change, described: StepChange): Promise<void> {
    const { host, signal, onChange } = this.options;
    const withdraw = await this.record(described, change);
    let hasBegun = false;
    try {
      this.permissions.requireAlive(`${change.kind} while it ended`); // recording took a moment
      hasBegun = true;
      await host.apply(change, signal);
    } catch (error) {
      if (!hasBegun || (await this.#isAsBefore(change, described))) await withdraw();
      throw error;
    }
    onChange(described);
  }

  /** Whether it is certain that a change which failed has changed nothing. */
  async #isAsBefore(change: Change, described: StepChange): Promise<boolean> {
    if (!appliesWhole(change)) return false;
    try {
      return isEqual(await describeChange(change, this.#read), described);
    } catch {
      return false;
    }
  }
}
