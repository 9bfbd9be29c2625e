/** What the manifest of a plugin allows its phases to do, as text. */
import type { Bounds } from '../../engine/sdk/index.ts';

export function boundsText({ paths, services, commands, api, network, mounts, runtime }: Bounds): string {
  const lines = [
    ...paths.map((path) => `write ${path}`),
    ...services.map((name) => `start, stop and reload service ${name}`),
    ...commands.map((program) => (program === '*' ? 'run any program' : `run ${program}`)),
    ...api.map(({ verbs, resource }) => `${verbs.join(', ')} ${resource}`),
    ...network.map((address) => `read ${address}…`),
    ...mounts.map((path) => `unmount everything below ${path}`),
    ...(runtime ? ['remove Pod sandboxes'] : []),
  ];
  return (lines.length === 0 ? ['change nothing'] : lines).map((line) => `  - ${line}`).join('\n');
}
