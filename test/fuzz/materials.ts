// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
/** Valid inputs for the targets, and a machine and a cluster in memory. */
import { readFileSync } from 'node:fs';
import { composePorts } from '../../engine/host/ports/index.ts';
import { pemBlocks, signDetached } from '../../engine/pki/index.ts';
import { type AnyPhase, type Ports, Secret } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import discoveryToken from '../../phases/discovery-token/index.ts';
import { asJson } from './shapes.ts';

export const DOCUMENT_BYTES_MAX = 1 << 20;
export const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };
export const NOW = new Date('2026-12-01T00:00:00Z');
export const TOKEN_ID = 'abcdef';
export const TOKEN_SECRET = '0123456789abcdef';
export const CA_PIN = 'sha256:cbc1d743dec2d752db440aa98342a3a6a974f912c1cd3eb9d3d3ec08194a24f4';

export const vector = (name: string): string => readFileSync(`test/vectors/${name}`, 'utf8');
export const derOf = (name: string): Buffer => pemBlocks(vector(name))[0]?.der ?? Buffer.alloc(0);
export const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const joinWorker = readFileSync('pipelines/join-worker.yaml', 'utf8');
export const kubeconfig = vector('kubeconfig-single-ca.yaml');
export const configMap = JSON.parse(vector('cluster-info-configmap.json'));
export const [caDer, ca2Der, csrDer] = [derOf('ca.crt'), derOf('ca2.crt'), derOf('node.csr')];
export const kubeletDocument = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  cgroupDriver: 'systemd',
  clusterDNS: ['10.96.0.10'],
  authentication: { x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' } },
};
export const smallPipeline = {
  apiVersion: 'joinery.dev/v1',
  kind: 'Pipeline',
  metadata: { name: 'small' },
  inputs: {
    type: 'object',
    properties: { endpoint: { type: 'string', pattern: '^a', default: '${{ host.name }}' } },
  },
  defaults: { timeout: '1m', retry: { attempts: 2, initial: '1s', factor: 2, cap: '1m' } },
  steps: [
    { id: 'a', uses: 'kubelet-version' },
    {
      id: 'b',
      uses: 'node-ready',
      needs: ['a'],
      with: { nodeName: '${{ inputs.endpoint }}', server: 'https://a' },
    },
  ],
};

export const PIPELINE_HEAD = 'apiVersion: joinery.dev/v1\nkind: Pipeline\nmetadata: { name: many }\nsteps:\n';
export const STEPS = [
  '- { id: s#, uses: kubelet-version }\n',
  '- { id: s#, uses: kubelet-version, needs: [t#] }\n',
  '- { id: s#, uses: kubelet-versiom, needs: [] }\n',
  '- { id: s#, uses: kubeconfig, needs: [], with: { x#: 1, server: 1, ca: "${{ steps.s0.outputs.x }}" } }\n',
  '- { id: s, uses: kubelet-version }\n',
  '- { id: s#, uses: kubelet-version, x#: 1 }\n',
];

/** What a user might give to any pipeline. */
export const GIVEN: Record<string, unknown> = {
  endpoint: '10.0.0.1:6443',
  token: `${TOKEN_ID}.${TOKEN_SECRET}`,
  discoveryTokenCaCertHash: [CA_PIN],
  nodeName: 'w1',
};

export function portsOf(phase: AnyPhase, machine: MemoryMachine): Ports {
  const { signal } = new AbortController();
  const host = memoryHost({ now: () => NOW, ...machine });
  return composePorts({
    host,
    effects: phase.effects,
    input: {},
    signal,
    hasSecret: () => false,
    log: () => undefined,
    onChange: () => undefined,
    record: async () => async () => undefined,
    once: async (_, make) => new Secret(await make()),
  });
}

/** Anything that a server may have answered to a GET. */
export const serving = (bodyAt: (path: string) => unknown): MemoryMachine => ({
  send: ({ path }) => ({ status: bodyAt(path) === undefined ? 404 : 200, body: bodyAt(path), clockSkewMs: 0 }),
});

export async function discover(body: unknown): Promise<void> {
  const ports = portsOf(
    discoveryToken,
    serving(() => body),
  );
  await discoveryToken.run(ports, {
    endpoint: '10.0.0.1:6443',
    token: new Secret(`${TOKEN_ID}.${TOKEN_SECRET}`),
    discoveryTokenCaCertHash: [CA_PIN],
    discoveryTokenUnsafeSkipCaVerification: false,
  });
}

/** Corrects the signature, so that the code behind it runs too. Keeps a signature that is empty or not text. */
export function signed(body: unknown): unknown {
  const { data } = (body ?? {}) as { data?: Record<string, unknown> | null };
  const key = `jws-kubeconfig-${TOKEN_ID}`;
  const [text, signature = 'none'] = [data?.kubeconfig, data?.[key]];
  if (typeof text !== 'string' || typeof signature !== 'string' || signature === '') return body;
  return { ...(body as object), data: { ...data, [key]: signDetached(text, TOKEN_ID, TOKEN_SECRET) } };
}
export const inConfigMap = (text: Buffer): Buffer =>
  asJson({ ...configMap, data: { kubeconfig: text.toString('utf8') } });
export const inKubeconfig = (ca: Buffer): Buffer =>
  asJson({ clusters: [{ cluster: { server: 'https://a:1', 'certificate-authority-data': ca.toString('base64') } }] });
/** The two texts around a NUL character, or only the second. */
export const halves = (bytes: Buffer): [string | undefined, string] => {
  const [first = '', ...rest] = bytes.toString('utf8').split('\0');
  return rest.length === 0 ? [undefined, first] : [first, rest.join('\0')];
};

/** Splits a line at `|`. */
export const words = (line: string): string[] => line.split('|');

const at = '2026-12-01T00:00:00.000Z';
/** Records of a run that wrote a file, started a service, and was undone. */
export const JOURNAL = [
  {
    seq: 1,
    at,
    kind: 'start',
    version: 1,
    id: '20261201-000000-0000',
    joinery: '0',
    pipeline: 'p',
    inputs: {},
    source: { kind: 'pipeline', name: 'p', digest: 'd' },
    host: { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' },
    steps: ['a'],
  },
  { seq: 2, at, kind: 'begun', step: 'a', phase: 'a', attempt: 1, input: { token: { $secret: 'input.token' } } },
  {
    seq: 3,
    at,
    kind: 'change',
    step: 'a',
    after: 'd',
    before: { kind: 'file', mode: 420, digest: 'd', image: 1 },
    change: { kind: 'file', path: '/etc/a', action: 'create', mode: 384, content: 'x' },
  },
  {
    seq: 4,
    at,
    kind: 'change',
    step: 'a',
    change: { kind: 'service', name: 's', action: 'start' },
    before: { kind: 'service', active: false, data: ['/a/*'], kept: [] },
  },
  { seq: 5, at, kind: 'done', step: 'a', status: 'succeeded', attempts: 1, durationMs: 5, outputs: {} },
  { seq: 6, at, kind: 'undone', change: 3 },
  { seq: 7, at, kind: 'finished', status: 'undone' },
];
