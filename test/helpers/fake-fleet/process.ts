/** An operator in a process of its own, which tests kill. Prints the state of the rollout when it has ended. */
import { fakeFleet, fakeHost, startOperator } from './operator.ts';

const [folder = '', url = '', hosts = '', maxParallel = ''] = process.argv.slice(2);

async function main(): Promise<void> {
  const fleet = fakeFleet(
    Array.from({ length: Number(hosts) }, (_, number) => fakeHost(`w${number}`)),
    { waves: [{ hosts: 1 }, { percent: 20 }, 'rest'], maxParallel: Number(maxParallel) },
  );
  const operator = await startOperator(folder, fleet, url);
  process.stdout.write('started\n');
  const begun = await operator.begin(fleet);
  const { state, hosts: all } = await operator.finished(begun);
  process.stdout.write(`${state} ${all.filter((host) => host.state === 'joined').length}\n`);
  await operator.close();
}

void main();
