/** The page of a rollout, both live and as a report. */
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { FleetAction } from '../../../engine/fleet/board.ts';
import type { FleetStatus, HostState, HostStatus } from '../../../engine/fleet/status.ts';
import type { RunView } from '../view.ts';
import { KeysDialog, type Question, QuestionDialog } from './dialogs.tsx';
import { Failures } from './failures.tsx';
import { HostPanel, LiveHostPanel } from './host.tsx';
import { useKeys } from './keys.ts';
import { countStates, HOST_SIGN, HOST_STATES, hostsByWave, hostText, needsHelp } from './states.ts';
import { Head, Summary } from './summary.tsx';
import { Timeline } from './timeline.tsx';
import { Wave } from './waves.tsx';

interface RolloutProps {
  status: FleetStatus;
  /** The stored runs of a report; undefined in a live page. */
  runs?: Record<string, RunView>;
  /** Undefined in a report. */
  onAct?: (action: FleetAction) => void;
}

export function Rollout({ status, runs, onAct }: RolloutProps) {
  const [selected, setSelected] = useState<string>();
  const [filter, setFilter] = useState<Filter>({ text: '', states: [] });
  const [areKeysOpen, setAreKeysOpen] = useState(false);
  const [question, setQuestion] = useState<Question>();
  const close = useCallback(() => {
    setSelected(undefined);
    cellOf(selected)?.focus();
  }, [selected]);
  const closeKeys = useCallback(() => setAreKeysOpen(false), []);
  const openKeys = useCallback(() => setAreKeysOpen(true), []);
  useKeys({
    onKeys: openKeys,
    onClose: close,
    onNext: (step) => setSelected((from) => nextToHelp(status.hosts, from, step) ?? from),
  });
  const ask = onAct && ((action: FleetAction) => askOrAct(action, onAct, setQuestion));
  const host = status.hosts.find(({ name }) => name === selected);
  const Panel = runs === undefined ? LiveHostPanel : HostPanel;
  return (
    <div class={host === undefined ? 'page' : 'page with-panel'}>
      <Head status={status} onAct={onAct} onKeys={openKeys} />
      <main>
        <Summary status={status} />
        <Failures hosts={status.hosts} onSelect={setSelected} onAct={onAct} />
        <Waves status={status} filter={filter} onFilter={setFilter} selected={selected} onSelect={setSelected} />
        <Timeline status={status} />
      </main>
      {host !== undefined && <Panel key={host.name} host={host} run={runs?.[host.name]} onClose={close} onAct={ask} />}
      {areKeysOpen && <KeysDialog onClose={closeKeys} />}
      {question !== undefined && <QuestionDialog question={question} onClose={() => setQuestion(undefined)} />}
    </div>
  );
}

interface Filter {
  text: string;
  /** Empty: all states. */
  states: readonly HostState[];
}

interface WavesProps {
  status: FleetStatus;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  selected: string | undefined;
  onSelect: (host: string) => void;
}

function Waves({ status, filter, onFilter, selected, onSelect }: WavesProps) {
  const groups = useMemo(() => hostsByWave(status), [status]);
  const fleetSize = status.hosts.length;
  const found = status.hosts.filter((host) => passes(host, filter)).length;
  return (
    <section class="card waves" aria-label="Waves">
      <header>
        <h2>Waves</h2>
        <FilterBar status={status} filter={filter} onFilter={onFilter} />
        <span class="about" role="status">
          {found < fleetSize ? `${found} of ${fleetSize} hosts` : ''}
        </span>
      </header>
      {groups.map(({ number, hosts }) => (
        <Wave
          key={number}
          wave={status.waves.find((wave) => wave.number === number)}
          hosts={hosts}
          visible={found < fleetSize ? hosts.filter((host) => passes(host, filter)) : hosts}
          fleetSize={fleetSize}
          selected={selected}
          onSelect={onSelect}
        />
      ))}
    </section>
  );
}

function FilterBar({ status, filter, onFilter }: Pick<WavesProps, 'status' | 'filter' | 'onFilter'>) {
  const { text, states } = filter;
  const counts = countStates(status.hosts);
  const toggled = (state: HostState) =>
    states.includes(state) ? states.filter((each) => each !== state) : [...states, state];
  return (
    <search class="filter">
      <input
        type="search"
        id="filter"
        placeholder="Name or error code"
        aria-label="Filter the hosts by name or error code"
        value={text}
        onInput={({ currentTarget }) => onFilter({ text: currentTarget.value, states })}
      />
      {HOST_STATES.filter((state) => (counts[state] ?? 0) > 0 || states.includes(state)).map((state) => (
        <button
          key={state}
          type="button"
          class={`chip ${state}`}
          aria-pressed={states.includes(state)}
          onClick={() => onFilter({ text, states: toggled(state) })}
        >
          <span class="sign" aria-hidden="true">
            {HOST_SIGN[state]}
          </span>
          {state} {counts[state] ?? 0}
        </button>
      ))}
    </search>
  );
}

const passes = (host: HostStatus, { text, states }: Filter): boolean =>
  (states.length === 0 || states.includes(host.state)) &&
  (text === '' || hostText(host).toLowerCase().includes(text.toLowerCase()));

/** The next host, or with -1 the previous one, that failed or waits for an approval. After the last comes the first. */
function nextToHelp(hosts: readonly HostStatus[], from: string | undefined, step: 1 | -1): string | undefined {
  const index = hosts.findIndex(({ name }) => name === from);
  const start = index < 0 && step < 0 ? 0 : index;
  for (let distance = 1; distance <= hosts.length; distance++) {
    const host = hosts[(start + distance * step + hosts.length * 2) % hosts.length];
    if (host !== undefined && needsHelp(host)) return host.name;
  }
  return undefined;
}

const cellOf = (name: string | undefined): HTMLElement | null =>
  name === undefined ? null : document.querySelector<HTMLElement>(`[data-host="${CSS.escape(name)}"]`);

/** An action that cannot be undone needs a confirmation. */
function askOrAct(action: FleetAction, act: (action: FleetAction) => void, ask: (question: Question) => void): void {
  if (action.action === 'skip')
    ask({ verb: 'Skip', text: `Skip ${action.host}? The rollout continues without it.`, act: () => act(action) });
  else if (action.action === 'deny')
    ask({ verb: 'Deny', text: `Deny ${action.step} on ${action.host}? The step fails.`, act: () => act(action) });
  else act(action);
}
