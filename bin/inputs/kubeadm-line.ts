/** Converts a `kubeadm join` line to one that oclif parses: booleans without a value, and current flag names. */
import type { FlagInput } from '@oclif/core/interfaces';
import { EXIT, fail, goBoolean, JoinError } from '../../engine/sdk/index.ts';

/** Names from kubeadm before 1.10, from 1.13 and 1.14, and from 1.19 to 1.21; and the one that `--root` has there. */
const OTHER_NAMES: Record<string, string> = {
  '--skip-preflight-checks': '--ignore-preflight-errors=all',
  '--experimental-patches': '--patches',
  '--rootfs': '--root',
  '--experimental-control-plane': '--control-plane',
};

/** Flags that say where kubeadm logs; Joinery has no such log. */
const LOG_SWITCHES = [
  'add-dir-header',
  'alsologtostderr',
  'logtostderr',
  'one-output',
  'skip-headers',
  'skip-log-headers',
];
const LOG_VALUES = ['log-backtrace-at', 'log-dir', 'log-file', 'log-file-max-size', 'stderrthreshold', 'vmodule'];

/** Flags that kubeadm reads for control planes alone. */
const CONTROL_PLANE_VALUES = ['apiserver-advertise-address', 'apiserver-bind-port', 'certificate-key'];

/**
 * Turns `--flag=true` into `--flag`, and drops flags of kubeadm that change nothing for a worker; `off` names the flags
 * set to false. E_INPUT, E_USAGE.
 */
export function kubeadmLine(
  argv: readonly string[],
  flags: FlagInput,
): { argv: string[]; off: string[]; notes: string[] } {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const off: string[] = [];
  const notes: string[] = [];
  const named = argv.slice(0, end).map(currentName);
  if (hasControlPlaneFlag(named) && named.some((word) => /^--config(=|$)/.test(word)))
    throw fail('E_INPUT', {
      problems: ['--config cannot be combined with --control-plane: add controlPlane to the file instead'],
    });
  const words = withoutIdleFlags(named, flags, notes).flatMap((word) => {
    const [name = '', ...rest] = word.split('=');
    const value = rest.length === 0 ? undefined : rest.join('=');
    const flag = name.slice('--'.length);
    if (value === undefined || !word.startsWith('--') || flags[flag]?.type !== 'boolean') return [word];
    if (!booleanOf(name, value)) off.push(flag);
    return booleanOf(name, value) ? [name] : [];
  });
  return { argv: [...words, ...argv.slice(end)], off, notes };
}

function currentName(word: string, _index: number, words: readonly string[]): string {
  const [name = '', ...rest] = word.split('=');
  const other = Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : undefined;
  // The flag `--root` is the one that counts, if both are there.
  if (other === undefined || (name === '--rootfs' && words.some((each) => /^--root(=|$)/.test(each)))) return word;
  return other.includes('=') || rest.length === 0 ? other : `${other}=${rest.join('=')}`;
}

/** Without the flags of kubeadm that have no meaning here, and without their values. Adds a note for each. */
function withoutIdleFlags(words: readonly string[], flags: FlagInput, notes: string[]): string[] {
  const kept: string[] = [];
  const hasFlag = (flag: string) => words.some((word) => word === flag || word.startsWith(`${flag}=`));
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const [, flag = '', value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (Object.hasOwn(flags, flag)) kept.push(word);
    else if (LOG_SWITCHES.includes(flag)) {
      booleanOf(`--${flag}`, value ?? 'true');
      notes.push(idleNote(flag));
    } else if (flag === 'rootfs' && hasFlag('--root')) index += value === undefined ? 1 : 0;
    else if (![...LOG_VALUES, ...CONTROL_PLANE_VALUES].includes(flag)) kept.push(word);
    else if (hasFlag('--config'))
      throw fail('E_INPUT', {
        problems: [`--config cannot be combined with --${flag}: omit it: a worker does not use it`],
      });
    else {
      notes.push(idleNote(flag));
      if (value === undefined) index++; // its value is the next word
    }
  }
  return kept;
}

const idleNote = (flag: string): string =>
  CONTROL_PLANE_VALUES.includes(flag)
    ? `--${flag} has no effect: it is for control-plane nodes, and this is a worker`
    : `--${flag} has no effect: it is about the log of kubeadm`;

function booleanOf(name: string, value: string): boolean {
  const isOn = goBoolean(value);
  if (isOn !== undefined) return isOn;
  throw JoinError.own({
    code: 'E_USAGE',
    message: `${name}=${value} must be true or false`,
    hint: `Write ${name}, or omit it.`,
    exitCode: EXIT.usage,
  });
}

/** Whether the words ask for a control plane; `--control-plane=false` is allowed, as in kubeadm. */
export function hasControlPlaneFlag(words: readonly string[]): boolean {
  const typed = words.findLast((word) => /^--(experimental-)?control-plane(=|$)/.test(word));
  return typed !== undefined && goBoolean(typed.split('=')[1] ?? 'true') === true;
}
