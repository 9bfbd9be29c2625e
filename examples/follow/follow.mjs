// Follows the run that is in progress, or the last one, and prints each wait and the result as one line.
// Usage: node follow.mjs [RUN]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const { JOINERY_ROOT } = process.env;
const place = JOINERY_ROOT === undefined ? [] : ['--root', JOINERY_ROOT];
const words = ['attach', ...process.argv.slice(2), '-o', 'jsonl', ...place];
const child = spawn('joinery', words, { stdio: ['ignore', 'pipe', 'inherit'] });
const closed = once(child, 'close');

const steps = new Map();
for await (const line of createInterface({ input: child.stdout })) {
  const event = JSON.parse(line);
  if (event.type === 'step.wait')
    console.log(`${event.step} waits for ${event.what}: ${Math.round(event.waitedMs / 1000)} s, until ${event.until}`);
  if (event.type === 'step.ended') steps.set(event.step, event.status);
  if (event.type !== 'run.ended') continue;
  const { made, undone } = event.changes;
  const failed = [...steps].filter(([, status]) => status === 'failed').map(([step]) => step);
  const why = event.error === undefined ? '' : ` (${event.error.code} in ${failed.join(', ')})`;
  console.log(`${event.run} ${event.status}${why}: ${made} changes, ${undone} undone`);
}
const [code] = await closed;
process.exitCode = code;
