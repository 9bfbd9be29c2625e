/** One run of one machine: its steps with their times, and its log. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ErrorView, RunView, StepView } from '../view.ts';
import { useNow } from './clock.tsx';
import { clockText, durationText, STEP_SIGN } from './states.ts';

export function ErrorText({ error: { code, message, hint } }: { error: ErrorView }) {
  return (
    <div class="error">
      <p>
        {code !== '' && <strong>{code}</strong>} {message}
      </p>
      {hint !== '' && <p class="hint">{hint}</p>}
    </div>
  );
}

export function Steps({ run }: { run: RunView }) {
  const now = useNow(run.endedAt);
  const from = Date.parse(run.startedAt);
  const to = run.endedAt === undefined ? now : Date.parse(run.endedAt);
  return (
    <ol class="steps" aria-label="Steps">
      {run.steps.map((step) => (
        <Step key={step.id} step={step} from={from} to={Math.max(to, from + 1)} />
      ))}
    </ol>
  );
}

function Step({ step, from, to }: { step: StepView; from: number; to: number }) {
  const { id, state, startedAt, endedAt, attempts, changes, detail, error } = step;
  const start = startedAt === undefined ? undefined : Date.parse(startedAt);
  const end = endedAt === undefined ? to : Date.parse(endedAt);
  const notes = [state === 'succeeded' ? '' : state, attempts > 1 ? `${attempts} attempts` : ''];
  const percent = (ms: number) => `${(((ms - from) / (to - from)) * 100).toFixed(2)}%`;
  return (
    <li class={state}>
      <span class="sign" aria-hidden="true">
        {STEP_SIGN[state]}
      </span>
      <span class="id">{id}</span>
      <span class="note">{notes.filter((note) => note !== '').join(', ')}</span>
      <span class="duration">{start === undefined ? '' : durationText(end - start)}</span>
      {start !== undefined && (
        <span class="track" aria-hidden="true">
          <span style={{ left: percent(start), width: percent(from + end - start) }} />
        </span>
      )}
      {detail !== undefined && <p class="detail">{detail}</p>}
      {error !== undefined && <ErrorText error={error} />}
      {changes.length > 0 && (
        <details>
          <summary>
            {changes.length} change{changes.length === 1 ? '' : 's'}
          </summary>
          <ul>
            {changes.map((change, index) => (
              <li key={index}>{change}</li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

/** Follows its end, unless the user has scrolled away from it. */
export function Log({ run }: { run: RunView }) {
  const place = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  useEffect(() => {
    if (isAtEnd && place.current !== null) place.current.scrollTop = place.current.scrollHeight;
  }, [run.lines, isAtEnd]);
  const onScroll = () => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = place.current ?? {};
    setIsAtEnd(scrollHeight - scrollTop - clientHeight < 8);
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard can only scroll what has the focus
    <div class="log" role="log" aria-label="Log" aria-live="off" tabIndex={0} ref={place} onScroll={onScroll}>
      {run.omitted > 0 && <p class="about">{run.omitted} earlier lines are omitted.</p>}
      {run.lines.map(({ at, step, level, text }, index) => (
        <p key={run.omitted + index} class={level}>
          <time dateTime={at}>{clockText(at)}</time>
          {step !== undefined && <span class="step">{step}</span>}
          <span class="text">{text}</span>
        </p>
      ))}
    </div>
  );
}
