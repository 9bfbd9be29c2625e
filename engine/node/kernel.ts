/** Settings and modules of the kernel: as they are to be now, and after the next start. */
import type { Ports } from '../sdk/ports.ts';

type KernelPorts = Pick<Ports, 'files' | 'commands' | 'log'>;

/**
 * Sets what differs by `sysctl`, undone by the value of before, and writes all of them to `file`. Needs runs('sysctl').
 */
export async function setSysctls(
  { files, commands }: KernelPorts,
  values: Readonly<Record<string, string>>,
  file: string,
): Promise<void> {
  await files.write(file, linesOf(Object.entries(values).map(([name, value]) => `${name} = ${value}`)), 0o644);
  for (const [name, value] of Object.entries(values)) {
    // sysctl(8): a name with a slash in it is a path already, for interfaces that have a dot in theirs.
    const path = `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`;
    const before = (await files.read(path))?.toString('utf8');
    if (before !== undefined && plain(before) === plain(value)) continue;
    const way =
      before === undefined
        ? { irreversible: 'there was no such setting before' }
        : { undo: ['sysctl', '-w', `${name}=${plain(before)}`] };
    await commands.run(['sysctl', '-w', `${name}=${value}`], way);
  }
}

/** Settings of several numbers have tabs between them. */
const plain = (text: string): string => text.trim().replace(/\s+/g, ' ');

/**
 * What a module brings, for kernels that have it built in and do not say so. Source: kubeadm's preflight looks there
 * too.
 */
const BROUGHT: Readonly<Record<string, string>> = { br_netfilter: '/proc/sys/net/bridge' };

/** Loads those that are not there, by `modprobe`, and names all of them in `file`. Needs runs('modprobe'). */
export async function loadModules(
  { files, commands }: KernelPorts,
  modules: readonly string[],
  file: string,
): Promise<void> {
  await files.write(file, linesOf(modules), 0o644);
  const release = (await files.read('/proc/sys/kernel/osrelease'))?.toString('utf8').trim();
  const builtin = (await files.read(`/lib/modules/${release}/modules.builtin`))?.toString('utf8') ?? '';
  for (const name of modules) {
    const place = name.replaceAll('-', '_'); // as the kernel spells it
    const isBuiltin = builtin.split('\n').some((line) => line.replaceAll('-', '_').endsWith(`/${place}.ko`));
    const witnesses = [`/sys/module/${place}`, ...(BROUGHT[place] === undefined ? [] : [BROUGHT[place]])];
    const found = await Promise.all(witnesses.map((path) => files.stat(path)));
    if (isBuiltin || found.some((stat) => stat !== undefined)) continue;
    await commands.run(['modprobe', name], { undo: ['modprobe', '-r', name] });
  }
}

const linesOf = (lines: readonly string[]): string => ['# Written by Joinery.', ...lines, ''].join('\n');
