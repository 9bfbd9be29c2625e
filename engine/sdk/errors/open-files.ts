/** Limits of open files. The system reports them as an error of whatever call came next. */

/** Whose limit an error of the system has reached. */
export function exhaustedIn(error: unknown): { limit: 'process' | 'machine' } | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (code === 'EMFILE') return { limit: 'process' };
  return code === 'ENFILE' ? { limit: 'machine' } : undefined;
}
