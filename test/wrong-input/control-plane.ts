/** Flags of a control plane that are invalid by themselves or in combination. */
import { input, JOIN, type WrongInput } from './wrong.ts';

const with_ = (...more: string[]): string[] => [...JOIN, '--control-plane', ...more];

export const wrongControlPlanes: WrongInput[] = [
  {
    title: 'a certificate key of the wrong length',
    args: with_('--certificate-key', 'f'.repeat(63)),
    exitCode: 2,
    text: input(
      '--certificate-key has the wrong form: it must be 64 hexadecimal digits, as kubeadm init phase upload-certs --upload-certs prints them',
    ),
  },
  {
    title: 'an address of the API server that is none',
    args: with_('--apiserver-advertise-address', 'cp-2', '--apiserver-bind-port', '70000'),
    exitCode: 2,
    text: input(
      '--apiserver-advertise-address has the wrong form "cp-2": it must be an IP address',
      '--apiserver-bind-port must be <= 65535',
    ),
  },
  {
    title: 'a control plane by a pipeline for workers',
    args: with_('--pipeline', 'join-worker'),
    exitCode: 2,
    text: input(
      '--control-plane does not fit the pipeline join-worker, which joins a worker: use --pipeline join-control-plane, or a pipeline that extends it',
    ),
  },
];
