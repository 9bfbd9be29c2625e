/** The failed hosts, grouped by the code of their error. */
import type { FleetAction } from '../../../engine/fleet/board.ts';
import type { HostStatus } from '../../../engine/fleet/status.ts';

/** A group shows no more names than this. */
const NAMES_MAX = 50;

interface FailuresProps {
  hosts: readonly HostStatus[];
  onSelect: (host: string) => void;
  onAct: ((action: FleetAction) => void) | undefined;
}

export function Failures({ hosts, onSelect, onAct }: FailuresProps) {
  const groups = failuresByCode(hosts);
  if (groups.length === 0) return null;
  return (
    <section class="card failures" aria-label="Failures">
      <h2>Failures</h2>
      {groups.map(({ code, hosts: failed, message, next }) => (
        <article key={code} aria-label={code}>
          <header>
            <h3>{code}</h3>
            <span class="about">
              {failed.length} host{failed.length === 1 ? '' : 's'}
            </span>
            {onAct !== undefined && (
              <button
                type="button"
                class="end"
                onClick={() => {
                  for (const { name } of failed) onAct({ action: 'retry', host: name });
                }}
              >
                {failed.length === 1 ? 'Retry' : `Retry all ${failed.length}`}
              </button>
            )}
          </header>
          <p>{message}</p>
          {next !== undefined && <p class="hint">{next}</p>}
          <ul class="names">
            {failed.slice(0, NAMES_MAX).map(({ name }) => (
              <li key={name}>
                <button type="button" class="link" onClick={() => onSelect(name)}>
                  {name}
                </button>
              </li>
            ))}
            {failed.length > NAMES_MAX && <li class="about">and {failed.length - NAMES_MAX} more</li>}
          </ul>
        </article>
      ))}
    </section>
  );
}

interface Group {
  code: string;
  hosts: HostStatus[];
  /** Of the first host. */
  message: string;
  next: string | undefined;
}

/** The largest group comes first. */
function failuresByCode(hosts: readonly HostStatus[]): Group[] {
  const groups = new Map<string, Group>();
  for (const host of hosts) {
    if (host.state !== 'failed' || host.error === undefined) continue;
    const { code, message, next } = host.error;
    const group = groups.get(code) ?? { code, hosts: [], message, next };
    group.hosts.push(host);
    groups.set(code, group);
  }
  return [...groups.values()].sort((a, b) => b.hosts.length - a.hosts.length);
}
