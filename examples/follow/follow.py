"""Starts a join in the background, follows it, and answers its approvals. It can be killed and started again.

Usage: follow.py approve|deny ARGUMENTS OF joinery run
"""

import json
import os
import subprocess
import sys

answer, *arguments = sys.argv[1:]
place = ["--root", os.environ["JOINERY_ROOT"]] if "JOINERY_ROOT" in os.environ else []


def joinery(*words):
    return ["joinery", *words, *place]


started = subprocess.run(["joinery", "run", "--detach", "-o", "json", *arguments], stdout=subprocess.PIPE)
if started.returncode != 0:
    sys.exit(started.returncode)
run = json.loads(started.stdout)["run"]

seen = 0
while True:
    attached = subprocess.Popen(
        joinery("attach", run, "--from", str(seen + 1), "-o", "jsonl"), stdout=subprocess.PIPE, text=True
    )
    ended = False
    for line in attached.stdout:
        event = json.loads(line)
        seen = event["seq"]
        ended = event["type"] == "run.ended"
        if event["type"] == "step.asked":
            denial = ["--deny"] if answer == "deny" else []
            command = joinery("approve", run, event["step"], "--reason", "change 4711", *denial)
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if event["type"] == "step.ended":
            print(event["step"], event["status"], flush=True)
    code = attached.wait()
    if ended:
        sys.exit(code)
