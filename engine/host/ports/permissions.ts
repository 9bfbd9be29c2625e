/**
 * What one attempt may do: the effects that its phase declared, within the bounds of its plugin, until it has ended.
 */

import { urlWithoutQuery } from '../../net/address.ts';
import { allowsAddress, allowsPath, allowsPort, type Bounds } from '../../sdk/bounds.ts';
import { type Effect, fillTemplate, pathMatcher } from '../../sdk/effects.ts';
import { fail } from '../../sdk/errors.ts';
import { PATH_LENGTH_MAX, requireSize } from '../limits.ts';

export interface PermissionOptions {
  effects: readonly Effect[];
  /** The bounds in the manifest of the phase's plugin. No input can extend them. */
  bounds?: Bounds | undefined;
  /** Effects are templates over the phase's input. */
  input: object;
  /** Aborted when the attempt has ended. */
  signal: AbortSignal;
  /** Whether a text holds a secret of the run. */
  hasSecret: (text: string) => boolean;
}

/** Addresses of this machine, as the class URL writes them. */
const LOOPBACK = /^(127(\.\d+){3}|\[::1\]|localhost)$/;

type EffectOf<K extends Effect['kind']> = Extract<Effect, { kind: K }>;

export class Permissions {
  readonly hasSecret: (text: string) => boolean;
  /** Whether an effect declares the address. */
  readonly isUrlDeclared: (url: string) => boolean;
  readonly #isPathDeclared: (path: string) => boolean;
  readonly #options: PermissionOptions;
  /** The texts of the input as they were before the phase could change them. */
  readonly #inputTexts: ReadonlySet<string>;
  /** The mount points found below a declared path. */
  readonly #mounts = new Set<string>();

  constructor(options: PermissionOptions) {
    const { input, hasSecret } = options;
    this.#options = options;
    this.hasSecret = hasSecret;
    this.#inputTexts = new Set(options.bounds === undefined ? [] : textsIn(input));
    const paths = this.effects('path').map(({ path }) => path);
    const urls = this.effects('http').map(({ url }) => url);
    this.#isPathDeclared = pathMatcher(paths, input);
    this.isUrlDeclared = pathMatcher(urls, input);
  }

  effects<K extends Effect['kind']>(kind: K): EffectOf<K>[] {
    return this.#options.effects.filter((effect): effect is EffectOf<K> => effect.kind === kind);
  }

  declares(kind: Effect['kind']): boolean {
    return this.#options.effects.some((effect) => effect.kind === kind);
  }

  /** The template with the values of the input, or undefined if the input lacks one of them. */
  fill(template: string): string | undefined {
    return fillTemplate(template, this.#options.input);
  }

  /** Whether the bounds of the plugin allow it. A phase that ships with Joinery has none. */
  isWithin(allows: (bounds: Bounds) => boolean): boolean {
    const { bounds } = this.#options;
    return bounds === undefined || allows(bounds);
  }

  get bounds(): Bounds | undefined {
    return this.#options.bounds;
  }

  requireAlive(what: string): void {
    if (this.#options.signal.aborted) throw fail('E_ATTEMPT_ENDED', { what });
  }

  require(isAllowed: boolean, what: string): void {
    this.requireAlive(what);
    if (!isAllowed) throw fail('E_EFFECT_UNDECLARED', { what });
  }

  requirePath(path: string, what: string): void {
    requireSize('path', path.length, PATH_LENGTH_MAX);
    this.require(this.#isPathDeclared(path) && this.isWithin((bounds) => allowsPath(bounds, path)), what);
  }

  /** Whether the phase may send requests to the server: by its bounds, or because the pipeline has named it. */
  allowsServer(server: string): boolean {
    return this.isWithin((bounds) => allowsAddress(bounds, server)) || this.#inputTexts.has(server);
  }

  requirePort(host: string, port: number): void {
    const isNamed = this.#inputTexts.has(`${host}:${port}`);
    this.require(isNamed || this.isWithin((bounds) => allowsPort(bounds, host, port)), `connect to ${host}:${port}`);
  }

  /** A service of this machine, or an address within the bounds. */
  requireHealthUrl(url: string): void {
    const isOwn = URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
    this.require(isOwn || this.isWithin((bounds) => allowsAddress(bounds, url)), `ask ${urlWithoutQuery(url)}`);
  }

  /** Mount points found below a declared path may be unmounted. `top` is the real path. */
  allowMounts(path: string, top: string, mounts: readonly string[]): void {
    if (!this.effects('mounts').some((effect) => effect.path === path)) return;
    for (const mount of mounts) if (mount.startsWith(`${top}/`)) this.#mounts.add(mount);
  }

  requireMount(path: string): void {
    requireSize('path', path.length, PATH_LENGTH_MAX);
    this.require(this.#mounts.has(path), `unmount ${path}`);
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
