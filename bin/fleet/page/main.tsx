/** Draws the page: live, if a process serves it; from its own data, if it is a report. */
import { render } from 'preact';
import { useState } from 'preact/hooks';
import type { FleetAction } from '../../../engine/fleet/board.ts';
import type { ErrorView, Report } from '../view.ts';
import { ReportTime } from './clock.tsx';
import { Run } from './host.tsx';
import { act, type Connection, openSession, useStatus } from './live.ts';
import { Rollout } from './rollout.tsx';
import { ErrorText } from './run.tsx';
import { clockText } from './states.ts';

const CONNECTION_TEXT: Record<Connection, string> = {
  connecting: 'Connecting …',
  open: '',
  lost: 'The connection is lost, and the page tries to connect again. Is `join fleet run` or `join fleet ui` running?',
  refused: 'This link has been used or replaced. For a new one, run: join fleet ui',
};

function LivePage() {
  const { status, connection } = useStatus();
  const [error, setError] = useState<ErrorView>();
  const onAct = async (action: FleetAction) => setError(await act(action));
  return (
    <>
      {connection !== 'open' && (
        <p class={`notice ${connection}`} role="status">
          {CONNECTION_TEXT[connection]}
        </p>
      )}
      {error !== undefined && (
        <div class="notice lost" role="alert">
          <ErrorText error={error} />
          <button type="button" onClick={() => setError(undefined)}>
            Close
          </button>
        </div>
      )}
      {status !== undefined && <Rollout status={status} onAct={onAct} />}
    </>
  );
}

function ReportPage({ report }: { report: Report }) {
  const now = Date.parse(report.at);
  const date = new Date(now).toLocaleDateString('sv');
  return (
    <ReportTime.Provider value={now}>
      {report.kind === 'rollout' ? (
        <Rollout status={report.status} runs={report.runs} />
      ) : (
        <div class="page">
          <header class="head">
            <h1>{report.run.machine}</h1>
            <span class={`badge ${report.run.state}`}>{report.run.state}</span>
            <span class="about">
              {new Date(report.run.startedAt).toLocaleDateString('sv')} {clockText(report.run.startedAt)}
            </span>
          </header>
          <main class="card">
            <Run run={report.run} />
          </main>
        </div>
      )}
      <footer class="about">
        Report of {date} {clockText(now)}
      </footer>
    </ReportTime.Provider>
  );
}

const data = document.getElementById('report')?.textContent;
const place = document.getElementById('page') as HTMLElement;
const live = () => render(<LivePage />, place);
if (data != null) render(<ReportPage report={JSON.parse(data) as Report} />, place);
else void openSession().then(live, live);
