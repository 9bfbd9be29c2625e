/** Words for the errors of the operating system. Node's own sentences name its calls, such as `open`. */

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'already exists',
  EINVAL: 'invalid argument',
  EIO: 'input/output error',
  EISDIR: 'is a directory',
  ELOOP: 'too many links',
  ENAMETOOLONG: 'the name is too long',
  ENODEV: 'no such device',
  ENOENT: 'does not exist',
  ENOSPC: 'no space left on the file system',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTEMPTY: 'is not empty',
  ENXIO: 'no process reads it',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ETXTBSY: 'is a running program',
};

/** The reason in words; undefined for an error that does not come from the operating system. */
export function errnoReason(error: unknown): string | undefined {
  const code: unknown = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? (REASONS[code] ?? code) : undefined;
}

/** The reason of any error. */
export const reasonOf = (error: unknown): string => errnoReason(error) ?? (error as Error).message;
