/** Users and groups of the machine. Source of the formats: passwd(5), group(5). */
import type { Files, Owner } from '../../engine/sdk/index.ts';

/** Resolves `user` (with its own group) or `user:group`; undefined if there is no such user or group. */
export async function ownerNamed(files: Files, text: string): Promise<Owner | undefined> {
  const [user = '', group] = text.split(':');
  const account = (await lines(files, '/etc/passwd')).find(([name, , uid]) => name === user || uid === user);
  const uid = numberOf(account?.[2] ?? user);
  const gid = group === undefined ? numberOf(account?.[3] ?? '') : await groupNamed(files, group);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

async function groupNamed(files: Files, group: string): Promise<number | undefined> {
  const found = (await lines(files, '/etc/group')).find(([name]) => name === group);
  return numberOf(found?.[2] ?? group);
}

const lines = async (files: Files, path: string): Promise<string[][]> =>
  ((await files.read(path))?.toString('utf8') ?? '').split('\n').map((line) => line.split(':'));

const numberOf = (text: string): number | undefined => (/^\d{1,10}$/.test(text) ? Number(text) : undefined);
