/** Valid arguments that do not fit the cluster: tokens, pins, permissions and names. */
import type { Sandbox } from '../../plugins/sandbox/index.ts';
import type { KubeObject } from '../../plugins/sandbox/objects.ts';
import { JOIN, type WrongInput, ZERO_PIN } from './wrong.ts';

const SOON = [...JOIN, '--discovery-timeout', '700ms'];
const UNDO = [...JOIN, '--on-failure', 'undo'];
const CLUSTER_INFO = /\/configmaps\/cluster-info$/;
const NODE = /\/nodes\/w1$/;
const CSRS = /\/certificatesigningrequests$/;
const always = Number.POSITIVE_INFINITY;

type Refusal = 'unauthorized' | 'forbidden' | 'notFound' | 'unavailable';
const NOT_FOUND = {
  effect: 'instead' as const,
  code: 404,
  headers: { 'Content-Type': 'application/json' },
  text: '{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"the server could not find the requested resource"}',
};
const refusing =
  (method: string, path: RegExp, refusal: Refusal) =>
  ({ faults }: Sandbox): void =>
    faults.add({ ...(refusal === 'notFound' ? NOT_FOUND : { effect: refusal }), method, path, times: always });

/** Changes the Secret of the token. */
const tokenWith =
  (data: Record<string, string>) =>
  ({ store, token }: Sandbox): void => {
    const name = `bootstrap-token-${token.slice(0, 6)}`;
    const secret = store.get<KubeObject & { data: object }>('secrets', name, 'kube-system');
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    store.update('secrets', { ...secret, data: { ...secret?.data, ...Object.fromEntries(encoded) } } as never);
  };
const deleteToken = ({ store, token }: Sandbox): void =>
  store.delete('secrets', `bootstrap-token-${token.slice(0, 6)}`, 'kube-system');
const withoutKubeconfig = ({ store }: Sandbox): void => {
  const map = store.get<KubeObject & { data: Record<string, string> }>('configmaps', 'cluster-info', 'kube-public');
  const { kubeconfig: _, ...data } = map?.data ?? {};
  store.update('configmaps', { ...map, data } as never);
};
/** An approver denies each request, or the signer fails. */
const answeringCsr =
  (type: 'Denied' | 'Failed') =>
  (sandbox: Sandbox): void => {
    sandbox.autoApprove = false;
    const condition = { type, status: 'True', reason: 'NotOurs', message: 'this machine is not known' };
    sandbox.store.subscribe(({ type: kind, resource, object }) => {
      if (kind !== 'ADDED' || resource !== 'certificatesigningrequests') return;
      setImmediate(() => sandbox.store.update(resource, { ...object, status: { conditions: [condition] } } as never));
    });
  };
const readyNode = ({ store }: Sandbox): unknown => {
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  return store.create('nodes', { metadata: { name: 'w1' }, status } as never);
};
const nothing = (): void => undefined;

const pinned = (...pins: string[]): string[] => [
  ...JOIN.slice(0, 3),
  ...pins.flatMap((pin) => ['--discovery-token-ca-cert-hash', pin]),
];
const wrong = (
  title: string,
  cluster: (sandbox: Sandbox) => unknown,
  exitCode: number,
  lines: readonly string[],
  args = JOIN,
): WrongInput => ({ title, args, cluster, exitCode, text: lines.join('\n  → ') });

const NEW_TOKEN = 'Create a new token on a control-plane node: kubeadm token create --print-join-command';
const UNKNOWN = [
  'E_TOKEN_UNKNOWN in step discovery: https://ENDPOINT has no signature by token ID: the token was deleted, has expired, or is not for signing',
  NEW_TOKEN,
];
const unauthorized = (step: string, what: string): string[] => [
  `E_API_UNAUTHORIZED in step ${step}: https://ENDPOINT rejected the credentials of this machine (HTTP 401); cannot ${what}`,
  `The token may have expired, or may not allow authentication. ${NEW_TOKEN}`,
];
const forbidden = (step: string, what: string): string[] => [
  `E_API_FORBIDDEN in step ${step}: https://ENDPOINT: not allowed to ${what} (HTTP 403): nodes is forbidden: a fault of the sandbox`,
  'The roles that kubeadm creates for joining may be missing. Restore them on a control-plane node: kubeadm init phase bootstrap-token',
];
const NOT_SET_UP =
  'If this is the API server of your cluster, it is not set up for bootstrap tokens. On a control-plane node: kubeadm init phase bootstrap-token';
const NOT_PUBLIC =
  'Public access may have been disabled on purpose. Ask for a discovery file, or restore the RoleBinding kubeadm:bootstrap-signer-clusterinfo in kube-public.';
const REFUSES = 'does not allow anonymous clients to read cluster-info';
const hidden = (status: number): string[] =>
  status === 404
    ? [
        'E_CLUSTER_INFO_MISSING in step discovery: https://ENDPOINT answers HTTP 404 for ConfigMap kube-public/cluster-info',
        NOT_SET_UP,
      ]
    : [`E_CLUSTER_INFO_MISSING in step discovery: https://ENDPOINT ${REFUSES} (HTTP ${status})`, NOT_PUBLIC];
const mismatch = (pins: string): string[] => [
  `E_CA_PIN_MISMATCH in step discovery: https://ENDPOINT presents CA key PIN, but only ${pins} is pinned`,
  'Do not join. Ask an administrator of the cluster for the correct pin over a channel that you trust.',
];
const noConfiguration = (name: string, key: string): string[] => [
  `E_KUBELET_CONFIG in step cluster-config: cannot use the cluster's kubelet configuration: there is no ConfigMap ${name} with the key ${key} in kube-system`,
  'Check it: kubectl -n kube-system get configmap -o yaml kubelet-config (kubelet-config-1.X before 1.24).',
];

const ONES_PIN = `sha256:${'1'.repeat(64)}`;
const GET_NODE = 'get nodes w1';
const CREATE_CSR = 'create certificatesigningrequests CSR';
const CONFIGURATIONS: [string, RegExp, string, string][] = [
  ['configuration of the cluster', /\/kubeadm-config$/, 'kubeadm-config', 'ClusterConfiguration'],
  ['configuration of the kubelet', /\/kubelet-config$/, 'kubelet-config', 'kubelet'],
];

const tokens: WrongInput[] = [
  wrong('a pin of another CA', nothing, 12, mismatch(ZERO_PIN), pinned(ZERO_PIN)),
  wrong(
    'pins that all belong to other CAs',
    nothing,
    12,
    mismatch(`${ZERO_PIN}, ${ONES_PIN}`),
    pinned(`${ZERO_PIN},${ONES_PIN}`),
  ),
  wrong(
    'a token whose secret half is wrong',
    nothing,
    12,
    [
      'E_CLUSTER_INFO_SIGNATURE in step discovery: the cluster-info of https://ENDPOINT is not signed by token ID',
      `The second half of the token may be mistyped, or this may not be your cluster. ${NEW_TOKEN}`,
    ],
    ['ENDPOINT', '--token', 'ID.zzzzzzzzzzzzzzzz', ...JOIN.slice(3)],
  ),
  wrong('a token that was deleted', deleteToken, 12, UNKNOWN, SOON),
  wrong('a token that has expired', tokenWith({ expiration: '2020-01-01T00:00:00Z' }), 12, UNKNOWN, SOON),
  wrong('a token that may not sign', tokenWith({ 'usage-bootstrap-signing': 'false' }), 12, UNKNOWN, SOON),
  wrong(
    'a token that may not authenticate',
    tokenWith({ 'usage-bootstrap-authentication': 'false' }),
    5,
    unauthorized('cluster-config', 'get configmaps kubeadm-config'),
  ),
  wrong(
    'a bootstrap token that does not exist',
    nothing,
    5,
    unauthorized('cluster-config', 'get configmaps kubeadm-config'),
    [...JOIN, ...['--tls-bootstrap-token', 'zzzzzz.zzzzzzzzzzzzzzzz']],
  ),
];

const answers: WrongInput[] = [
  {
    title: 'an endpoint that does not answer',
    args: SOON,
    exitCode: 5,
    text: [
      'E_API_UNREACHABLE in step discovery: https://ENDPOINT does not answer: nothing listens there (ECONNREFUSED ENDPOINT)',
      'Check the address, the firewall and the control plane. To test the connection: curl -k https://ENDPOINT/healthz',
    ].join('\n  → '),
  },
  wrong('a cluster-info that is not public', refusing('GET', CLUSTER_INFO, 'forbidden'), 5, hidden(403)),
  wrong(
    'a server that refuses anonymous requests for cluster-info',
    refusing('GET', CLUSTER_INFO, 'unauthorized'),
    5,
    hidden(401),
  ),
  wrong(
    'a cluster that was not set up for tokens',
    ({ store }) => store.delete('configmaps', 'cluster-info', 'kube-public'),
    5,
    hidden(404),
  ),
  wrong(
    'a server that is overloaded',
    refusing('GET', CLUSTER_INFO, 'unavailable'),
    5,
    [
      'E_API_UNAVAILABLE in step discovery: https://ENDPOINT cannot get cluster-info at the moment (HTTP 503): the server is currently unable to handle the request',
      'The API server is overloaded or still starting. When it is ready, run the same command again.',
    ],
    SOON,
  ),
  wrong('a cluster-info without a kubeconfig', withoutKubeconfig, 5, [
    'E_CLUSTER_INFO_INVALID in step discovery: cannot use ConfigMap kube-public/cluster-info of https://ENDPOINT: it has no kubeconfig key',
    'Inspect it: kubectl -n kube-public get configmap cluster-info -o yaml. To create it again: kubeadm init phase bootstrap-token',
  ]),
  wrong(
    'a sign-in page of the network',
    ({ faults }) => faults.add({ effect: 'notJson', times: always }),
    5,
    [
      'E_API_ANSWER in step discovery: https://ENDPOINT sent a response that Joinery cannot use: a web page ("Sign in to the network"): a proxy, or a network that wants a login, may have answered instead',
      'Check that the address belongs to the API server itself, not to a proxy or another service.',
    ],
    SOON,
  ),
  wrong(
    'a page of a proxy that forbids the address',
    ({ faults }) => faults.add({ effect: 'instead', code: 403, text: '<html>Not allowed</html>', times: always }),
    5,
    [
      'E_API_ANSWER in step discovery: https://ENDPOINT sent a response that Joinery cannot use: HTTP 403, a web page ("Not allowed"): a proxy, or a network that wants a login, may have answered instead',
      'Check that the address belongs to the API server itself, not to a proxy or another service.',
    ],
    SOON,
  ),
  {
    ...wrong('a clock that is five minutes ahead of the cluster', nothing, 12, [
      'E_CLOCK_SKEW in step discovery: the clock of this machine is 300 s ahead of the clock of https://ENDPOINT',
      'Certificates depend on the clock. Set it with timedatectl set-ntp true or your NTP service, and join again.',
    ]),
    now: () => new Date(Math.floor(Date.now() / 1000) * 1000 - 5 * 60_000),
  },
];

/** Failures after the first changes, which the run undoes. */
const permissions: WrongInput[] = [
  wrong('the name of a Node that is Ready', readyNode, 5, [
    'E_NODE_EXISTS in step preflight-cluster: the cluster already has a Ready node named w1, and this machine does not have its identity',
    'Join under another name (--node-name). If the other machine no longer exists: kubectl delete node w1',
  ]),
  ...[['401', 'unauthorized', unauthorized] as const, ['403', 'forbidden', forbidden] as const].flatMap(
    ([status, refusal, lines]) => [
      wrong(`${status} for the Node`, refusing('GET', NODE, refusal), 5, lines('preflight-cluster', GET_NODE)),
      wrong(`${status} for the CSR`, refusing('POST', CSRS, refusal), 5, lines('tls-bootstrap', CREATE_CSR), UNDO),
      ...CONFIGURATIONS.map(([what, path, name]) => {
        const words = lines('cluster-config', `get configmaps ${name}`);
        return wrong(`${status} for the ${what}`, refusing('GET', path, refusal), 5, words, UNDO);
      }),
    ],
  ),
  wrong(
    '404 for the CSR',
    refusing('POST', CSRS, 'notFound'),
    5,
    [
      'E_API_REFUSED in step tls-bootstrap: https://ENDPOINT refused to create certificatesigningrequests CSR (HTTP 404): the server could not find the requested resource',
      'The API server wrote this message. Check its log for details.',
    ],
    UNDO,
  ),
  ...CONFIGURATIONS.map(([what, path, name, key]) =>
    wrong(`404 for the ${what}`, refusing('GET', path, 'notFound'), 5, noConfiguration(name, key), UNDO),
  ),
  wrong(
    'a request that is denied',
    answeringCsr('Denied'),
    5,
    [
      'E_CSR_DENIED in step tls-bootstrap: CSR was denied: NotOurs this machine is not known',
      'Ask an administrator of the cluster why. The next join sends a new request. Details: kubectl describe csr CSR',
    ],
    UNDO,
  ),
  wrong(
    'a CSR that the signer cannot sign',
    answeringCsr('Failed'),
    5,
    [
      'E_CSR_FAILED in step tls-bootstrap: the signer failed to sign CSR: NotOurs this machine is not known',
      'Check the log of kube-controller-manager, and: kubectl describe csr CSR',
    ],
    UNDO,
  ),
];

export const wrongForTheCluster: WrongInput[] = [...tokens, ...answers, ...permissions];
