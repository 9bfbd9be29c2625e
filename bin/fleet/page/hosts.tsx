/** The hosts of a wave as a grid of cells. One cell of each wave is a tab stop; arrow keys move between cells. */
import { Component } from 'preact';
import { useState } from 'preact/hooks';
import type { HostStatus } from '../../../engine/fleet/status.ts';
import { HOST_SIGN, hostText } from './states.ts';

/** With more hosts, cells show no names. */
const NAMED_HOSTS_MAX = 80;

interface CellProps {
  host: HostStatus;
  isSelected: boolean;
  isTabStop: boolean;
  isNamed: boolean;
}

/** Drawn again only if its host has changed, because a fleet may have a thousand. */
class Cell extends Component<CellProps> {
  override shouldComponentUpdate(next: CellProps): boolean {
    const { host, isSelected, isTabStop, isNamed } = this.props;
    return (
      next.host !== host || next.isSelected !== isSelected || next.isTabStop !== isTabStop || next.isNamed !== isNamed
    );
  }

  override render({ host, isSelected, isTabStop, isNamed }: CellProps) {
    const text = hostText(host);
    return (
      <div
        role="option"
        class={`cell ${host.state}${host.approval === undefined ? '' : ' asking'}`}
        data-host={host.name}
        aria-label={text}
        aria-selected={isSelected}
        tabIndex={isTabStop ? 0 : -1}
        title={text}
      >
        <span class="sign">{host.approval === undefined ? HOST_SIGN[host.state] : '?'}</span>
        {isNamed && <span class="name">{host.name}</span>}
      </div>
    );
  }
}

export interface HostGridProps {
  label: string;
  hosts: readonly HostStatus[];
  /** How many hosts the whole fleet has. */
  fleetSize: number;
  selected: string | undefined;
  onSelect: (host: string) => void;
}

export function HostGrid({ label, hosts, fleetSize, selected, onSelect }: HostGridProps) {
  const [focused, setFocused] = useState<string>();
  const isNamed = fleetSize <= NAMED_HOSTS_MAX;
  const tabStop = [focused, selected].find((name) => hosts.some((host) => host.name === name)) ?? hosts[0]?.name;
  const open = (target: EventTarget | null) => {
    const name = cellOf(target)?.dataset.host;
    if (name !== undefined) onSelect(name);
  };
  const move = (event: KeyboardEvent) => {
    const next = nextCell(event.key, cellOf(event.target));
    if (next !== undefined) next.focus();
    else if (event.key === 'Enter' || event.key === ' ') open(event.target);
    else return;
    event.preventDefault();
  };
  return (
    <div
      role="listbox"
      aria-label={label}
      class={isNamed ? 'hosts named' : 'hosts'}
      onClick={(event) => open(event.target)}
      onKeyDown={move}
      onFocusIn={(event) => setFocused(cellOf(event.target)?.dataset.host)}
    >
      {hosts.map((host) => (
        <Cell
          key={host.name}
          host={host}
          isSelected={host.name === selected}
          isTabStop={host.name === tabStop}
          isNamed={isNamed}
        />
      ))}
    </div>
  );
}

const cellOf = (target: EventTarget | null): HTMLElement | undefined =>
  (target as HTMLElement | null)?.closest<HTMLElement>('[data-host]') ?? undefined;

/** The cell that an arrow key leads to; undefined for another key. At the edge, it is the same cell. */
function nextCell(key: string, cell: HTMLElement | undefined): HTMLElement | undefined {
  if (cell === undefined) return undefined;
  const cells = [...(cell.parentElement?.children ?? [])] as HTMLElement[];
  const neighbour = (step: number) => cells[cells.indexOf(cell) + step] ?? cell;
  switch (key) {
    case 'ArrowRight':
      return neighbour(1);
    case 'ArrowLeft':
      return neighbour(-1);
    case 'Home':
      return cells[0];
    case 'End':
      return cells.at(-1);
    case 'ArrowDown':
      return nearestIn(
        cells.filter(({ offsetTop }) => offsetTop > cell.offsetTop),
        cell,
      );
    case 'ArrowUp':
      return nearestIn(cells.filter(({ offsetTop }) => offsetTop < cell.offsetTop).reverse(), cell);
    default:
      return undefined;
  }
}

/** The cell of the first row of `cells` that is nearest to the column of `from`. */
function nearestIn(cells: readonly HTMLElement[], from: HTMLElement): HTMLElement {
  const row = cells.filter(({ offsetTop }) => offsetTop === cells[0]?.offsetTop);
  const distance = ({ offsetLeft }: HTMLElement) => Math.abs(offsetLeft - from.offsetLeft);
  return row.reduce((best, cell) => (distance(cell) < distance(best) ? cell : best), row[0] ?? from);
}
