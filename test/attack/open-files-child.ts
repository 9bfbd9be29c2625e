/** Opens files up to the limit, and prints the error of each thing that needs one more. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { packageAssets } from '../../bin/assets.ts';
import { PipelineCatalog } from '../../bin/pipelines.ts';
import { machineAt } from '../../engine/host/machine.ts';
import { Transport } from '../../engine/kube/request.ts';
import { answerOf, waitForPort } from '../../engine/net/calls.ts';
import type { JoinError } from '../../engine/sdk/errors.ts';
import { PROJECT } from '../helpers/sources.ts';

const SERVER = 'https://127.0.0.1:1';
const signal = AbortSignal.timeout(60_000);
const machine = machineAt('/');
const runtime = await machine.runtime();
const transport = new Transport(() => new Date());
const pipelines = new PipelineCatalog(packageAssets(PROJECT));

const needs: Record<string, () => unknown> = {
  'a file': () => machine.files.read('/etc/hostname'),
  'a server': () =>
    transport.send(
      { server: SERVER, as: 'unverified', method: 'GET', ref: undefined, path: '/', query: {}, body: undefined },
      signal,
    ),
  'a URL': () => answerOf({ method: 'GET', url: 'http://127.0.0.1:1/', ca: '' }, signal),
  'a port': () => waitForPort('127.0.0.1', 1, AbortSignal.timeout(300)),
  'a container runtime': () => runtime.version('unix:///run/absent.sock', signal),
  'a pipeline': () => pipelines.open('/etc/hostname'),
  'a program': () => machine.commands.run(['/usr/bin/true'], signal),
};
const errorOf = async (act: () => unknown): Promise<JoinError> => {
  try {
    await act();
  } catch (error) {
    return error as JoinError;
  }
  throw new Error('it needed no file');
};

for (const act of Object.values(needs)) await errorOf(act).catch(() => undefined); // loads what is loaded on first use
execFileSync('prlimit', ['--nofile=128:128', '--pid', String(process.pid)]);
const opened: number[] = [];
try {
  for (;;) opened.push(openSync('/dev/null', 'r'));
} catch {}
const errors: [string, JoinError][] = [];
for (const [what, act] of Object.entries(needs)) errors.push([what, await errorOf(act)]);
for (const descriptor of opened) closeSync(descriptor);
const facts = ({ code, message, hint, transient }: JoinError) => ({ code, message, hint, transient });
process.stdout.write(JSON.stringify(Object.fromEntries(errors.map(([what, error]) => [what, facts(error)]))));
