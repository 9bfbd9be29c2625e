/** Settings and modules of the kernel, for now and after each boot. */
import type { Ports } from '../sdk/ports.ts';

type KernelPorts = Pick<Ports, 'files' | 'commands' | 'log'>;

/**
 * Sets the settings that differ with `sysctl`, which an undo sets back, and writes all of them to `file`. Needs
 * runs('sysctl').
 */
export async function setSysctls(
  { files, commands }: KernelPorts,
  values: Readonly<Record<string, string>>,
  file: string,
): Promise<void> {
  await files.write(file, linesOf(Object.entries(values).map(([name, value]) => `${name} = ${value}`)), 0o644);
  for (const [name, value] of Object.entries(values)) {
    // sysctl(8): a name that contains a slash is already a path. Interfaces whose names contain a dot need this form.
    const path = `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`;
    const before = (await files.read(path))?.toString('utf8');
    if (before !== undefined && plain(before) === plain(value)) continue;
    const way =
      before === undefined
        ? { irreversible: 'the setting did not exist before' }
        : { undo: ['sysctl', '-w', `${name}=${plain(before)}`] };
    await commands.run(['sysctl', '-w', `${name}=${value}`], way);
  }
}

/** Settings with several numbers separate them by tabs. */
const plain = (text: string): string => text.trim().replace(/\s+/g, ' ');

/**
 * The path that a module creates, for kernels that have it built in without listing it. kubeadm's preflight checks the
 * same paths.
 */
const BROUGHT: Readonly<Record<string, string>> = { br_netfilter: '/proc/sys/net/bridge' };

/** Loads missing modules with `modprobe`, and lists all of them in `file`. Needs runs('modprobe'). */
export async function loadModules(
  { files, commands }: KernelPorts,
  modules: readonly string[],
  file: string,
): Promise<void> {
  await files.write(file, linesOf(modules), 0o644);
  const release = (await files.read('/proc/sys/kernel/osrelease'))?.toString('utf8').trim();
  const builtin = (await files.read(`/lib/modules/${release}/modules.builtin`))?.toString('utf8') ?? '';
  for (const name of modules) {
    const place = name.replaceAll('-', '_'); // in the kernel's spelling
    const isBuiltin = builtin.split('\n').some((line) => line.replaceAll('-', '_').endsWith(`/${place}.ko`));
    const witnesses = [`/sys/module/${place}`, ...(BROUGHT[place] === undefined ? [] : [BROUGHT[place]])];
    const found = await Promise.all(witnesses.map((path) => files.stat(path)));
    if (isBuiltin || found.some((stat) => stat !== undefined)) continue;
    await commands.run(['modprobe', name], { undo: ['modprobe', '-r', name] });
  }
}

const linesOf = (lines: readonly string[]): string => ['# Written by Joinery.', ...lines, ''].join('\n');
