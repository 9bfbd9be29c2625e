#!/bin/bash
# Runs a join, prints the end of each step, and resumes it once if this machine stopped it.
# Usage: follow.sh ARGUMENTS OF joinery run
set -u

# Standard output is one event a line. The errors for people stay on standard error.
follow() {
  joinery "$@" --output jsonl | tee events.jsonl |
    jq --unbuffered -r 'select(.type == "step.ended") | "\(.step) \(.status)"'
  return "${PIPESTATUS[0]}"
}

follow run "$@"
code=$?
if [ "$code" = 6 ]; then
  run=$(jq -r 'select(.type == "run.ended").run' events.jsonl)
  follow resume "$run" ${JOINERY_ROOT:+--root "$JOINERY_ROOT"}
  code=$?
fi

case $code in
  0) echo joined ;;
  4) echo 'not ready: fix what preflight lists' ;;
  8) echo 'an approval was denied' ;;
  130 | 143) echo stopped ;;
  *) echo "failed ($code)" ;;
esac
exit "$code"
