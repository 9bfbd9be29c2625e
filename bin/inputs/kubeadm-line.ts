/** Converts a `kubeadm join` line to one that oclif parses: booleans without a value, and current flag names. */
import type { FlagInput } from '@oclif/core/interfaces';
import { EXIT, fail, goBoolean, JoinError } from '../../engine/sdk/index.ts';

/** Names from kubeadm before 1.10, and from 1.19 to 1.21. */
const OLD_NAMES: Record<string, string> = {
  '--skip-preflight-checks': '--ignore-preflight-errors=all',
  '--experimental-patches': '--patches',
};

/** Flags that only a control-plane node needs. */
const CONTROL_PLANE_FLAGS = [
  'apiserver-advertise-address',
  'apiserver-bind-port',
  'certificate-key',
  'control-plane',
  'experimental-control-plane',
];

/** Turns `--flag=true` into `--flag`; `off` names the flags set to false. E_CONTROL_PLANE_UNSUPPORTED, E_USAGE. */
export function kubeadmLine(argv: readonly string[], flags: FlagInput): { argv: string[]; off: string[] } {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const off: string[] = [];
  const words = argv.slice(0, end).flatMap((word) => {
    const [name = '', ...rest] = word.split('=');
    const value = rest.length === 0 ? undefined : rest.join('=');
    const flag = name.slice('--'.length);
    if (CONTROL_PLANE_FLAGS.includes(flag) && !Object.hasOwn(flags, flag)) return controlPlaneFlag(name, value);
    const old = Object.hasOwn(OLD_NAMES, name) ? OLD_NAMES[name] : undefined;
    if (old !== undefined) return [old.includes('=') || value === undefined ? old : `${old}=${value}`];
    if (value === undefined || !word.startsWith('--') || flags[flag]?.type !== 'boolean') return [word];
    const isOn = goBoolean(value);
    if (isOn === undefined)
      throw JoinError.own({
        code: 'E_USAGE',
        message: `${name}=${value} must be true or false`,
        hint: `Write ${name}, or omit it.`,
        exitCode: EXIT.usage,
      });
    if (!isOn) off.push(flag);
    return isOn ? [name] : [];
  });
  return { argv: [...words, ...argv.slice(end)], off };
}

/** `--control-plane=false` is allowed, as in kubeadm. */
function controlPlaneFlag(name: string, value: string | undefined): string[] {
  if (name.endsWith('control-plane') && goBoolean(value ?? '') === false) return [];
  throw fail('E_CONTROL_PLANE_UNSUPPORTED', { what: name });
}
