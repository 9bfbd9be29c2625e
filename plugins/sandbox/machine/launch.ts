/** A command that starts the stand-in kubelet late, or lets its first start fail. */

/** Below the root of the machine. While this file exists, the next start of the kubelet fails, and deletes it. */
export const KUBELET_FAILS = 'run/kubelet-fails';

/** `kubelet` as in the options of `makeMachine`, which appends the root of the machine. */
export const launched = (kubelet: readonly string[], delaySeconds: number): string[] => [
  '/bin/sh',
  '-c',
  `for root; do :; done # the last argument
sleep ${delaySeconds}
if rm "$root/${KUBELET_FAILS}" 2>/dev/null; then
  echo "F0101 00:00:00.000000       1 server.go:274] failed to run Kubelet: the sandbox lets this start fail" >&2
  exit 255
fi
exec "$@"`,
  'kubelet',
  ...kubelet,
];
