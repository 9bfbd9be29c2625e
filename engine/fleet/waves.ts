/** Divides the hosts of a fleet into waves. */
import type { WaveSize } from './fleet.ts';

/** How many hosts a wave of this size has, if `left` of `total` hosts are in no wave yet. */
function countOf(size: WaveSize, total: number, left: number): number {
  if (size === 'rest') return left;
  return Math.min(left, 'hosts' in size ? size.hosts : Math.ceil((size.percent * total) / 100));
}

/** The hosts of each wave, in their order. Waves without a host are omitted; hosts in no wave are not in the result. */
export function wavesOf<T>(hosts: readonly T[], sizes: readonly WaveSize[]): T[][] {
  let from = 0;
  return sizes.flatMap((size) => {
    const wave = hosts.slice(from, from + countOf(size, hosts.length, hosts.length - from));
    from += wave.length;
    return wave.length === 0 ? [] : [wave];
  });
}
