/** Flags of a control plane that are invalid by themselves or in combination. */
import { config, input, JOIN, type WrongInput } from './wrong.ts';

const with_ = (...more: string[]): string[] => [...JOIN, '--control-plane', ...more];

const HEAD = 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n';
const DISCOVERY = `discovery:
  bootstrapToken:
    token: abcdef.0123456789abcdef
    apiServerEndpoint: 10.0.0.1:6443
    unsafeSkipCAVerification: true
`;
/** A configuration file of a control plane. */
const file = (title: string, text: string, wrong: string, exitCode: number): WrongInput => ({
  title,
  args: ['--config', 'FOLDER/c.yaml'],
  files: { 'c.yaml': HEAD + DISCOVERY + text },
  exitCode,
  text: wrong,
});
const flags = (title: string, args: string[], ...problems: string[]): WrongInput => ({
  title,
  args: with_(...args),
  exitCode: 2,
  text: input(...problems),
});

const DIGITS = 'must be 64 hexadecimal digits, as kubeadm init phase upload-certs --upload-certs prints them';
const KEY_FORM = `--certificate-key has the wrong form: it ${DIGITS}`;

export const wrongControlPlanes: WrongInput[] = [
  flags('a certificate key that is not hexadecimal', ['--certificate-key', 'g'.repeat(64)], KEY_FORM),
  flags('port 0 of the API server', ['--apiserver-bind-port', '0'], '--apiserver-bind-port must be >= 1'),
  flags(
    'an address of the API server with a port',
    ['--apiserver-advertise-address', '10.0.0.1:6443'],
    '--apiserver-advertise-address has the wrong form "10.0.0.1:6443": it must be an IP address',
  ),
  flags(
    'a URL in the place of the address',
    ['--apiserver-advertise-address', 'https://10.0.0.1'],
    '--apiserver-advertise-address has the wrong form "https://10.0.0.1": it must be an IP address',
  ),
  flags(
    'a time limit of etcd that is not a duration',
    ['--etcd-api-call-timeout', 'soon'],
    '--etcd-api-call-timeout must be a duration such as 30s or 5m',
  ),
  flags(
    'a time limit of the start that is 0',
    ['--control-plane-component-health-check-timeout', '0s'],
    '--control-plane-component-health-check-timeout must be a duration such as 30s or 5m',
  ),
  file(
    'a certificate key in a file that is too short',
    'controlPlane: { certificateKey: abc }\n',
    config(`FOLDER/c.yaml:8:33: controlPlane.certificateKey ${DIGITS}`),
    3,
  ),
  file(
    'a host name as the address in a file',
    'controlPlane: { localAPIEndpoint: { advertiseAddress: cp2 } }\n',
    config(`FOLDER/c.yaml:8:55: controlPlane.localAPIEndpoint.advertiseAddress must be an IP address`),
    3,
  ),
  file(
    'a port in a file that does not exist',
    'controlPlane: { localAPIEndpoint: { bindPort: 70000 } }\n',
    config(`FOLDER/c.yaml:8:47: controlPlane.localAPIEndpoint.bindPort must be a port from 1 to 65535`),
    3,
  ),
  file(
    'a time limit of etcd in a file',
    'controlPlane: {}\ntimeouts: { etcdAPICall: soon }\n',
    config(
      `FOLDER/c.yaml:9:26: timeouts.etcdAPICall has the wrong form "soon": it must be a duration with its unit, such as 5m0s`,
    ),
    3,
  ),
  file(
    'an unknown field of the control plane',
    'controlPlane: { certificatekey: x }\n',
    config(`FOLDER/c.yaml:8:17: unknown field certificatekey; did you mean certificateKey?`),
    3,
  ),
  file(
    'a control plane that is a list',
    'controlPlane: []\n',
    config(`FOLDER/c.yaml:8:15: controlPlane must be an object`),
    3,
  ),
  {
    title: 'a certificate key of the wrong length',
    args: with_('--certificate-key', 'f'.repeat(63)),
    exitCode: 2,
    text: input(KEY_FORM),
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
