/** The shell scripts of a scratch machine: a service manager for the one unit `kubelet`, and its journal. */

const HEAD = `#!/bin/sh
# Part of a scratch machine of the Joinery sandbox: a stand-in that knows the unit kubelet alone.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
root=$(cd "$(dirname "$0")/../.." && pwd)
log=$root/var/log/kubelet.log
`;

/** `kubelet` is the command that starts the kubelet; the root is appended. A kubelet that exits is not restarted. */
export const systemctl = (kubelet: readonly string[]): string => `${HEAD}
pid_file=$root/run/kubelet.pid
code_file=$root/run/kubelet.exit
wanted=$root/etc/systemd/system/multi-user.target.wants/kubelet.service

alive() {
  [ -s "$pid_file" ] && [ ! -e "$code_file" ] || return 1
  read -r pid <"$pid_file"
  kill -0 "$pid" 2>/dev/null || return 1
  case $(cat "/proc/$pid/stat" 2>/dev/null) in *') Z '*) return 1 ;; esac
}

state() {
  if alive; then echo active
  elif [ "$(cat "$code_file" 2>/dev/null || echo 0)" != 0 ]; then echo failed
  else echo inactive; fi
}

start() {
  alive && return
  rm -f "$code_file"
  # The shell outlives the kubelet, because a trap runs only after the foreground command has exited.
  JOINERY_ROOT=$root setsid /bin/sh -c 'trap "exit 0" TERM; code_file=$1; shift; "$@"; echo $? >"$code_file"' \\
    kubelet "$code_file" ${kubelet.map(quote).join(' ')} "$root" >>"$log" 2>&1 </dev/null &
  echo $! >"$pid_file"
}

stop() {
  if alive; then
    kill -TERM "-$pid"
    tries=0
    while alive && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
    if alive; then kill -KILL "-$pid"; fi
  fi
  rm -f "$pid_file" "$code_file"
}

show() {
  case $(state) in active) sub=running ;; failed) sub=failed ;; *) sub=dead ;; esac
  if alive; then main=$pid; else main=0; fi
  printf '%s\\n' LoadState=loaded "ActiveState=$(state)" "SubState=$sub" "MainPID=$main" NRestarts=0 \\
    "UnitFileState=$(enabled)"
}

enabled() { if [ -L "$wanted" ]; then echo enabled; else echo disabled; fi; }

unit_files() {
  for file in /usr/lib/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d/10-kubeadm.conf; do
    echo "# $file"
    cat "$root$file"
    echo
  done
}

no_such_unit() {
  case $verb in
    show) printf '%s\\n' LoadState=not-found ActiveState=inactive SubState=dead MainPID=0 NRestarts=0 UnitFileState= ;;
    is-active) echo inactive; exit 4 ;;
    cat) echo "No files found for $unit.service." >&2; exit 1 ;;
    *) echo "Failed to $verb $unit.service: Unit $unit.service not found." >&2; exit 5 ;;
  esac
}

verb= unit=
while [ $# -gt 0 ]; do
  case $1 in
    -p | --property) shift ;;
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$1; else unit=\${1%.service}; fi ;;
  esac
  shift
done

[ "$verb" = daemon-reload ] && exit 0
if [ "$unit" != kubelet ]; then no_such_unit; exit; fi
case $verb in
  start) start ;;
  stop) stop ;;
  restart) stop; start ;;
  is-active) state; alive || exit 3 ;;
  is-enabled) enabled; [ -L "$wanted" ] ;;
  enable) mkdir -p "$(dirname "$wanted")" && ln -sf /usr/lib/systemd/system/kubelet.service "$wanted" ;;
  disable) rm -f "$wanted" ;;
  show) show ;;
  cat) unit_files ;;
  *) echo "Unknown command verb $verb." >&2; exit 1 ;;
esac
`;

export const journalctl = `${HEAD}
unit= lines=10
while [ $# -gt 0 ]; do
  case $1 in
    -u) unit=\${2%.service}; shift ;;
    -n) lines=$2; shift ;;
    *) ;;
  esac
  shift
done
if [ "$unit" = kubelet ] && [ -f "$log" ]; then tail -n "$lines" "$log"; else echo '-- No entries --'; fi
`;

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

export const sleep = `${HEAD}
exec sleep "$@"
`;
