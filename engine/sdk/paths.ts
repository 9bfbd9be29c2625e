/**
 * Where Joinery keeps its own records on a machine. Every path is absolute.
 * @stable
 */
export const joineryPaths = {
  /** Everything that outlives a run. */
  state: '/var/lib/joinery',
  /** One folder for each run, with its journal. */
  runs: '/var/lib/joinery/runs',
  /** A tmpfs: what has to survive a crash, but not a reboot. Joinery empties it when a run ends. */
  runtime: '/run/joinery',
} as const;

/** The path in the URL of a container runtime's socket. A bare path stays as it is, as in kubeadm. */
export const socketPath = (socket: string): string => socket.replace(/^unix:\/\//, '');
