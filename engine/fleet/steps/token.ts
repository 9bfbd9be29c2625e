/**
 * The bootstrap token of one attempt to join one machine. Its ID follows from rollout, machine and attempt, so that a
 * step that is repeated finds the token again, and none is left behind. Its secret is only in the cluster.
 */
import { createHash } from 'node:crypto';
import { fail, isJoinError } from '../../sdk/errors.ts';
import { Secret } from '../../sdk/secret.ts';
import { tokenOf } from '../../tokens/secret.ts';
import { type BootstrapToken, DEFAULT_GROUP, randomToken, tokenText, USAGES } from '../../tokens/token.ts';
import type { MachineContext } from '../machine.ts';
import type { FleetCluster } from './cluster.ts';

/** Another ID is tried if a token of other origin has the first one. */
const TRIES_MAX = 5;
const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 6;
/** A token that expires sooner is replaced. */
const LEFT_MS_MIN = 60_000;

type Attempt = Pick<MachineContext, 'rollout' | 'host' | 'attempt'>;

/** The user that requests a certificate with the token. */
export const tokenUser = (id: string): string => `system:bootstrap:${id}`;

/** Creates the token, or finds the one that this attempt has created. E_FLEET_TOKEN. */
export async function ensureToken(cluster: FleetCluster, context: MachineContext, now: Date): Promise<string> {
  const description = describe(context);
  let number = 0;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const id = tokenIdOf(context, number);
    if (await create(cluster, newToken(id, description, context.fleet.tokenTtlMs, now))) return id;
    const found = await cluster.tokenSecret(id);
    if (found === undefined) continue; // it was deleted in this moment
    const token = readToken(found);
    if (token?.description !== description) number++;
    else if ((token.expiresAt?.getTime() ?? 0) > now.getTime() + LEFT_MS_MIN) return id;
    else await cluster.tokens.delete(id);
  }
  throw fail('E_FLEET_TOKEN', { id: tokenIdOf(context, number), what: 'the cluster has a token of other origin' });
}

/** The token as the machine needs it. E_FLEET_TOKEN. */
export async function tokenWithSecret(cluster: FleetCluster, context: MachineContext, id: string): Promise<Secret> {
  const found = await cluster.tokenSecret(id);
  if (found === undefined) throw fail('E_FLEET_TOKEN', { id, what: 'the cluster does not have it' });
  const token = readToken(found);
  if (token?.description !== describe(context))
    throw fail('E_FLEET_TOKEN', { id, what: 'its description says that another process created it' });
  return new Secret(tokenText(token));
}

/** Deletes the token, unless it is of other origin. */
export async function deleteToken(cluster: FleetCluster, context: Attempt, id: string): Promise<void> {
  const found = await cluster.tokenSecret(id);
  if (found !== undefined && readToken(found)?.description === describe(context)) await cluster.tokens.delete(id);
}

export const describe = ({ rollout, host, attempt }: Attempt): string =>
  `Joinery fleet: rollout ${rollout}, machine ${host.name}, attempt ${attempt}`;

/** `number` counts the IDs that other tokens have. */
export function tokenIdOf({ rollout, host, attempt }: Attempt, number: number): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([rollout, host.name, attempt, number]))
    .digest();
  let rest = hash.readBigUInt64BE();
  let id = '';
  for (; id.length < ID_LENGTH; rest /= 36n) id += LETTERS[Number(rest % 36n)];
  return id;
}

function newToken(id: string, description: string, ttlMs: number, now: Date): BootstrapToken {
  const [, secret = ''] = randomToken().split('.');
  const expiresAt = new Date(now.getTime() + ttlMs);
  return { id, secret: new Secret(secret), expiresAt, usages: [...USAGES], groups: [DEFAULT_GROUP], description };
}

/** False if the cluster already has a token with this ID. */
async function create(cluster: FleetCluster, token: BootstrapToken): Promise<boolean> {
  try {
    await cluster.tokens.create(token);
    return true;
  } catch (error) {
    if (isJoinError(error) && error.code === 'E_TOKEN_EXISTS') return false;
    throw error;
  }
}

/** Undefined if the Secret holds no token. */
function readToken(secret: Parameters<typeof tokenOf>[0]): BootstrapToken | undefined {
  try {
    return tokenOf(secret);
  } catch {
    return undefined;
  }
}
