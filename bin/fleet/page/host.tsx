/** One host: what the fleet does with it, and the run on the machine. */
import { useEffect, useRef } from 'preact/hooks';
import type { FleetAction } from '../../../engine/fleet/board.ts';
import type { HostStatus, MachineStep } from '../../../engine/fleet/status.ts';
import type { RunView } from '../view.ts';
import { Elapsed } from './clock.tsx';
import { useRun } from './live.ts';
import { ErrorText, Log, Steps } from './run.tsx';
import { clockText, HOST_SIGN } from './states.ts';

/** As in engine/fleet/status.ts; The page has no place for `undo`, which the state says. */
const STEPS: readonly MachineStep[] = ['reach', 'install', 'inspect', 'token', 'join', 'verify', 'revoke'];

export interface HostPanelProps {
  host: HostStatus;
  /** The stored run of a report. A live page asks for it. */
  run?: RunView | undefined;
  onClose: () => void;
  /** Undefined in a report, which does nothing. */
  onAct: ((action: FleetAction) => void) | undefined;
}

export function LiveHostPanel(props: HostPanelProps) {
  return <HostPanel {...props} run={useRun(props.host.name)} />;
}

export function HostPanel({ host, run, onClose, onAct }: HostPanelProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [host.name]);
  const { name, state, role, wave, attempts, startedAt, endedAt, error } = host;
  return (
    <aside class="card panel" aria-label={`Host ${name}`}>
      <header>
        <h2 tabIndex={-1} ref={heading}>
          {name}
        </h2>
        <span class={`badge ${state}`}>
          {HOST_SIGN[state]} {state}
        </span>
        <button type="button" class="close" aria-label="Close the host" onClick={onClose}>
          ✕
        </button>
      </header>
      <p class="about">
        {role}
        {wave !== undefined && `, wave ${wave}`}
        {attempts > 1 && `, ${attempts} attempts`}
        {startedAt !== undefined && (
          <>
            , started {clockText(startedAt)}, <Elapsed from={startedAt} to={endedAt} />
          </>
        )}
      </p>
      <MachineSteps host={host} />
      {error !== undefined && (
        <ErrorText error={{ code: error.code, message: error.message, hint: error.next ?? '' }} />
      )}
      {onAct !== undefined && <HostActions host={host} onAct={onAct} />}
      {run === undefined ? <p class="about">{noRunText(host)}</p> : <Run run={run} />}
    </aside>
  );
}

const noRunText = ({ run, state }: HostStatus): string => {
  if (run !== undefined) return `Run ${run}: the details are on the machine.`;
  return state === 'waiting' ? 'The host waits for its wave.' : 'The machine has not reported a run.';
};

function MachineSteps({ host: { state, step } }: { host: HostStatus }) {
  const current = step === undefined ? -1 : STEPS.indexOf(step);
  const isDone = state === 'joined' || state === 'unchanged';
  const classOf = (index: number): string | undefined => {
    if (isDone || index < current) return 'joined';
    return index === current ? `current ${state}` : undefined;
  };
  return (
    <ol class="machine-steps" aria-label="Steps of the fleet">
      {STEPS.map((name, index) => (
        <li key={name} class={classOf(index)} aria-current={index === current && !isDone ? 'step' : undefined}>
          {name}
        </li>
      ))}
    </ol>
  );
}

function HostActions({ host, onAct }: { host: HostStatus; onAct: (action: FleetAction) => void }) {
  const { name, state, approval } = host;
  return (
    <div class="actions">
      {approval !== undefined && (
        <fieldset class="approval">
          <legend>Approval</legend>
          <p>
            <strong>{approval.step}</strong> asks: {approval.message}
            <span class="about"> (until {clockText(approval.until)})</span>
          </p>
          <button
            type="button"
            class="primary"
            onClick={() => onAct({ action: 'approve', host: name, step: approval.step })}
          >
            Approve
          </button>
          <button type="button" onClick={() => onAct({ action: 'deny', host: name, step: approval.step })}>
            Deny
          </button>
        </fieldset>
      )}
      {(state === 'failed' || state === 'skipped') && (
        <button type="button" class="primary" onClick={() => onAct({ action: 'retry', host: name })}>
          Retry
        </button>
      )}
      {(state === 'failed' || state === 'waiting') && (
        <button type="button" onClick={() => onAct({ action: 'skip', host: name })}>
          Skip
        </button>
      )}
    </div>
  );
}

export function Run({ run }: { run: RunView }) {
  return (
    <>
      <h3>
        Run {run.run} <span class="about">of {run.pipeline}</span>
      </h3>
      {run.error !== undefined && run.steps.every(({ error }) => error === undefined) && (
        <ErrorText error={run.error} />
      )}
      <Steps run={run} />
      <h3>Log</h3>
      <Log run={run} />
    </>
  );
}
