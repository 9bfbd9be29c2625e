/** Tokens and pins on the command line that are missing or have the wrong form. */
import { input, type WrongInput, ZERO_PIN } from './wrong.ts';

const TOKEN = 'abcdef.0123456789abcdef';
const tokenOf = (token: string): string[] => ['ENDPOINT', '--token', token, '--discovery-token-ca-cert-hash', 'PIN'];
const pinOf = (...pins: string[]): string[] => [
  'ENDPOINT',
  '--token',
  'TOKEN',
  ...pins.flatMap((pin) => ['--discovery-token-ca-cert-hash', pin]),
];
export const wrongCredentials: WrongInput[] = [
  {
    title: 'an empty command line',
    args: [],
    exitCode: 2,
    text: input(
      'a token is required: pass --token or --discovery-token',
      'the CA key must be pinned: pass --discovery-token-ca-cert-hash (kubeadm token create --print-join-command prints it), or --discovery-token-unsafe-skip-ca-verification',
      '--endpoint is missing',
    ),
  },
  {
    title: 'a token in capitals',
    args: tokenOf('ABCDEF.0123456789ABCDEF'),
    exitCode: 2,
    text: input(
      '--token has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
    ),
  },
  {
    title: 'a token that is too short',
    args: tokenOf('abcdef.0123456789abcde'),
    exitCode: 2,
    text: input(
      '--token has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
    ),
  },
  {
    title: 'a token with a space',
    args: tokenOf(TOKEN.replace('.', '. ')),
    exitCode: 2,
    text: input(
      '--token has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
    ),
  },
  {
    title: 'a token that is only an ID',
    args: tokenOf('abcdef'),
    exitCode: 2,
    text: input(
      '--token has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
    ),
  },
  {
    title: 'a missing token',
    args: ['ENDPOINT', '--discovery-token-ca-cert-hash', 'PIN'],
    exitCode: 2,
    text: input('a token is required: pass --token or --discovery-token'),
  },
  {
    title: 'an empty token, as from an unset shell variable',
    args: tokenOf(''),
    exitCode: 2,
    text: input('a token is required: pass --token or --discovery-token'),
  },
  {
    title: 'invalid tokens for discovery and bootstrap',
    args: ['ENDPOINT', '--discovery-token=x', '--tls-bootstrap-token=y', '--discovery-token-ca-cert-hash', 'PIN'],
    exitCode: 2,
    text: input(
      '--discovery-token has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
      '--tls-bootstrap-token has the wrong form: it must be 6 and 16 lower-case letters or digits, separated by a dot, as kubeadm token create prints it',
    ),
  },
  {
    title: 'a missing pin',
    args: ['ENDPOINT', '--token', 'TOKEN'],
    exitCode: 2,
    text: input(
      'the CA key must be pinned: pass --discovery-token-ca-cert-hash (kubeadm token create --print-join-command prints it), or --discovery-token-unsafe-skip-ca-verification',
    ),
  },
  {
    title: 'a missing pin beside an explicit false for skipping it',
    args: ['ENDPOINT', '--token', 'TOKEN', '--discovery-token-unsafe-skip-ca-verification=false'],
    exitCode: 2,
    text: input(
      'the CA key must be pinned: pass --discovery-token-ca-cert-hash (kubeadm token create --print-join-command prints it), or --discovery-token-unsafe-skip-ca-verification',
    ),
  },
  {
    title: 'a pin without its type',
    args: pinOf('0'.repeat(64)),
    exitCode: 2,
    text: input(
      '--discovery-token-ca-cert-hash has the wrong form "0000000000000000000000000000000000000000000000000000000000000000": it must be sha256: and 64 hexadecimal digits',
    ),
  },
  {
    title: 'a pin of another type',
    args: pinOf(`md5:${'0'.repeat(32)}`),
    exitCode: 2,
    text: input(
      '--discovery-token-ca-cert-hash has the wrong form "md5:00000000000000000000000000000000": it must be sha256: and 64 hexadecimal digits',
    ),
  },
  {
    title: 'a pin that is too short',
    args: pinOf(`sha256:${'0'.repeat(63)}`),
    exitCode: 2,
    text: input(
      '--discovery-token-ca-cert-hash has the wrong form "sha256:000000000000000000000000000000000000000000000000000000000000000": it must be sha256: and 64 hexadecimal digits',
    ),
  },
  {
    title: 'a pin with a letter that is not a hexadecimal digit',
    args: pinOf(`sha256:${'g'.repeat(64)}`),
    exitCode: 2,
    text: input(
      '--discovery-token-ca-cert-hash has the wrong form "sha256:gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg": it must be sha256: and 64 hexadecimal digits',
    ),
  },
  {
    title: 'an invalid second pin after a comma',
    args: pinOf(`${ZERO_PIN},sha256:1`),
    exitCode: 2,
    text: input(
      '--discovery-token-ca-cert-hash has the wrong form "sha256:1": it must be sha256: and 64 hexadecimal digits',
    ),
  },
  {
    title: 'an invalid second pin in a flag of its own',
    args: pinOf(ZERO_PIN, 'sha512:1'),
    exitCode: 2,
    text: input(
      '--discovery-token-ca-cert-hash has the wrong form "sha512:1": it must be sha256: and 64 hexadecimal digits',
    ),
  },
];
