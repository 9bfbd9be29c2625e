/** What the page receives from the process that serves it, and what it sends there. */
import { useEffect, useState } from 'preact/hooks';
import type { FleetAction } from '../../../engine/fleet/board.ts';
import type { FleetStatus } from '../../../engine/fleet/status.ts';
import type { ErrorView, RunView, StatusMessage } from '../view.ts';

/** `refused`: the session is over, or belongs to another process. */
export type Connection = 'connecting' | 'open' | 'lost' | 'refused';

/** Exchanges the secret in the address for a cookie. Without a secret, an earlier cookie may still be valid. */
export async function openSession(): Promise<void> {
  const secret = location.hash.slice(1);
  if (secret === '') return;
  history.replaceState(null, '', location.pathname); // so that the secret is neither bookmarked nor copied
  await fetch('session', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: secret });
}

export function useStatus(): { status: FleetStatus | undefined; connection: Connection } {
  const [status, setStatus] = useState<FleetStatus>();
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => {
    const stream = new EventSource('status');
    stream.onopen = () => setConnection('open');
    stream.onerror = () => setConnection(stream.readyState === EventSource.CLOSED ? 'refused' : 'lost');
    stream.onmessage = ({ data }: MessageEvent<string>) => {
      const message = JSON.parse(data) as StatusMessage;
      setStatus((known) => (message.isPart && known !== undefined ? merged(known, message.status) : message.status));
    };
    return () => stream.close();
  }, []);
  return { status, connection };
}

/** Hosts that have not changed stay the same objects, so that they are not drawn again. */
function merged(known: FleetStatus, part: FleetStatus): FleetStatus {
  const changed = new Map(part.hosts.map((host) => [host.name, host]));
  return { ...part, hosts: known.hosts.map((host) => changed.get(host.name) ?? host) };
}

export function useRun(host: string): RunView | undefined {
  const [run, setRun] = useState<RunView>();
  useEffect(() => {
    setRun(undefined);
    const stream = new EventSource(`run?host=${encodeURIComponent(host)}`);
    stream.onmessage = ({ data }: MessageEvent<string>) => setRun(JSON.parse(data) as RunView);
    return () => stream.close();
  }, [host]);
  return run;
}

/** Resolves to the error, if there is one. */
export async function act(action: FleetAction): Promise<ErrorView | undefined> {
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch('actions', { method: 'POST', headers, body: JSON.stringify(action) });
    return answer.ok ? undefined : ((await answer.json()) as ErrorView);
  } catch {
    return { code: '', message: 'The process that serves this page does not answer.', hint: '' };
  }
}
