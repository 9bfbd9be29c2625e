// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a hole of a pipeline is written like a JavaScript template
import 'reflect-metadata'; // before what bin/compose.ts imports
/**
 * Everything that reads text from outside, by name: bytes in. To add one, add an entry; its seeds go to corpus/<name>/.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { applyPatch } from 'rfc6902';
import { parse } from 'yaml';
import { checkForAllHosts } from '../../engine/environment/check.ts';
import { loadEnvironment, readTracked } from '../../engine/environment/load.ts';
import { hostParts, resolvePipeline } from '../../engine/environment/resolve.ts';
import { Cel } from '../../engine/expressions/cel.ts';
import { UNKNOWN } from '../../engine/expressions/references.ts';
import { historyOf } from '../../engine/journal/history.ts';
import { LineWriter, readJournal } from '../../engine/journal/journal-file.ts';
import type { JournalRecord } from '../../engine/journal/records.ts';
import { kubeletIdentity, readKubeconfig } from '../../engine/node/index.ts';
import { loadPipeline } from '../../engine/pipeline/load.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { children, content, decode, dottedOid, encode } from '../../engine/pki/der.ts';
import {
  fitsKey,
  isIssuedBy,
  isSignedBy,
  pemBlocks,
  readCertificates,
  readCsr,
  signDetached,
  toPem,
} from '../../engine/pki/index.ts';
import { fail, type KubeObject, parseYaml, Secret } from '../../engine/sdk/index.ts';
import clusterConfig from '../../phases/cluster-config/index.ts';
import { withDefaults, yamlOf } from '../../phases/kubelet-config/configuration.ts';
import { registry } from '../helpers/app.ts';
import { DER_TOKENS, derShape, PEM_TOKENS, pemShape } from './der-shapes.ts';
import { HTTP_TOKENS, httpShape, overHttp } from './forged-server.ts';
import {
  CA_PIN,
  ca2Der,
  caDer,
  configMap,
  csrDer,
  DOCUMENT_BYTES_MAX,
  discover,
  GIVEN,
  HOST,
  halves,
  inConfigMap,
  inKubeconfig,
  JOURNAL,
  joinWorker,
  json,
  kubeconfig,
  kubeletDocument,
  PIPELINE_HEAD,
  portsOf,
  STEPS,
  serving,
  signed,
  smallPipeline,
  TOKEN_ID,
  TOKEN_SECRET,
  vector,
  words,
} from './materials.ts';
import { asJson, jsonShape, type Shape, soup, swollen, YAML_TOKENS, yamlShape } from './shapes.ts';

const joinWorkerTracked = readTracked('join-worker.yaml', joinWorker);
const joinWorkerEnvironment = readFileSync('test/fuzz/corpus/environment/every-patch.yaml', 'utf8');
const joinWorkerPipeline = loadPipeline('join-worker.yaml', joinWorker);

export interface Target {
  /** May return (a promise), throw a documented JoinError, and nothing else within a second. */
  run(bytes: Buffer): unknown;
  /** Its docstring says that it throws an Error of one line, too. */
  throwsErrors?: boolean;
  /** Inputs of its kind, and words to put into others. */
  shape: Shape;
  tokens: readonly string[];
}

export const targets: Record<string, Target> = {
  pipeline: {
    run(bytes) {
      const pipeline = loadPipeline('fuzz.yaml', bytes.toString('utf8'));
      const given = Object.entries(GIVEN).filter(([name]) => Object.hasOwn(pipeline.inputs.properties, name));
      planOf(pipeline, registry, structuredClone(Object.fromEntries(given)), HOST);
    },
    shape: fc.oneof(
      { weight: 20, arbitrary: yamlShape(DOCUMENT_BYTES_MAX, parse(joinWorker), smallPipeline) },
      { weight: 1, arbitrary: swollen(STEPS, DOCUMENT_BYTES_MAX, [PIPELINE_HEAD]) },
    ),
    tokens: [
      ...YAML_TOKENS,
      ...words('inputs|properties|steps|needs: |with: |uses: |${{ | }}|host.name|pattern: |$ref: |"#/"'),
    ],
  },

  environment: {
    run(bytes) {
      const environment = loadEnvironment('fuzz', 'fuzz.yaml', bytes.toString('utf8'));
      const { problems } = checkForAllHosts(
        {
          parts: hostParts(environment.tracked).slice(0, 3), // a thousand of them take a thousand times as long, and tell nothing new
          resolve: (applies) => resolvePipeline(joinWorkerTracked, [environment], applyPatch, applies),
        },
        registry,
      );
      if (problems.length > 0) throw fail('E_PIPELINE', { problems });
    },
    shape: yamlShape(DOCUMENT_BYTES_MAX, parse(joinWorkerEnvironment)),
    tokens: [
      ...YAML_TOKENS,
      ...words(
        'patches: |merge: |insert: |remove: |replace: |wrap: |step: |after: |hosts: |match: |jsonPatch: |/steps/0|preflight',
      ),
    ],
  },

  expression: {
    run(bytes) {
      const given = { text: 'a1', number: 3, list: ['a', 'b'], map: { a: 1 }, secret: new Secret('0123456789') };
      const cel = new Cel(bytes.toString('utf8').trim());
      cel.evaluate((reference) => ('name' in reference ? given[reference.name as keyof typeof given] : UNKNOWN));
    },
    throwsErrors: true,
    shape: soup([
      ...words(
        'inputs.text|inputs.number|inputs.list|inputs.map|inputs.?secret|steps.a.status|steps["a"].outputs.text',
      ),
      ...words(
        'has(|.map(x, |.filter(x, |.exists(x, |.orValue(|.matches("|.split("|.join(|.size()|(a+)+$|{"a": |}|x|1',
      ),
      ...words(' + | == | && | in | ? | : |!|(|)|[|]|,|"|//|0xff|1.5'),
    ]),
    tokens: words('inputs.|.matches("|has(|.?|["|.map(x, '),
  },

  kubeconfig: {
    run: (bytes) => readKubeconfig(bytes.toString('utf8')),
    throwsErrors: true,
    shape: yamlShape(DOCUMENT_BYTES_MAX, parse(kubeconfig)),
    tokens: [
      ...YAML_TOKENS,
      ...words('clusters: |cluster: |users: |user: |server: |certificate-authority-data: |https://'),
    ],
  },

  identity: {
    async run(bytes) {
      const [conf, pem] = halves(bytes);
      const files: Record<string, string> = {
        '/etc/kubernetes/kubelet.conf': conf ?? kubeconfig,
        '/var/lib/kubelet/pki/kubelet-client-current.pem': pem,
      };
      const identity = await kubeletIdentity(portsOf(clusterConfig, { files }).files);
      identity?.notAfter.toISOString();
    },
    shape: pemShape(DOCUMENT_BYTES_MAX, caDer, ca2Der),
    tokens: [...PEM_TOKENS, '-----BEGIN EC PRIVATE KEY-----\n', '-----END EC PRIVATE KEY-----\n'],
  },

  'cluster-info': {
    async run(bytes) {
      const body = json(bytes.toString('utf8'));
      if (body !== undefined) await discover(signed(body)); // what is no JSON is the transport's to refuse
    },
    shape: fc.oneof(
      { weight: 2, arbitrary: jsonShape(configMap) },
      { weight: 2, arbitrary: yamlShape(DOCUMENT_BYTES_MAX, parse(kubeconfig)).map(inConfigMap) },
      { weight: 1, arbitrary: pemShape(DOCUMENT_BYTES_MAX, caDer, ca2Der).map(inKubeconfig).map(inConfigMap) },
    ),
    tokens: words(
      `"data":|"kubeconfig":|"metadata":|"jws-kubeconfig-${TOKEN_ID}":|null|{}|[]|""|1|\\n|\\u0000|\\ud800|\\"|-----BEGIN CERTIFICATE-----\\n`,
    ),
  },

  jws: {
    run(bytes) {
      const [payload = '{}', jws] = halves(bytes);
      if (isSignedBy(jws, payload, TOKEN_ID, TOKEN_SECRET) && jws !== signDetached(payload, TOKEN_ID, TOKEN_SECRET))
        throw new Error('two signatures of one text are believed');
    },
    shape: soup([
      ...words('eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9|eyJhbGciOiJub25lIn0|.|..|=|-_|+/|\0|{}| |\n|é'),
      ...[signDetached('{}', TOKEN_ID, TOKEN_SECRET), signDetached('', TOKEN_ID, TOKEN_SECRET)],
    ]),
    tokens: ['.', '..', '=', '\0', '{}'],
  },

  pem: {
    run(bytes) {
      const text = bytes.toString('utf8');
      for (const { label, der } of pemBlocks(text)) toPem(label, der);
      readCertificates(text);
    },
    throwsErrors: true,
    shape: fc.oneof(
      { weight: 20, arbitrary: pemShape(DOCUMENT_BYTES_MAX, caDer, csrDer) },
      { weight: 1, arbitrary: swollen([vector('ca2.crt'), '\n'], DOCUMENT_BYTES_MAX) },
    ),
    tokens: PEM_TOKENS,
  },

  certificate: {
    run(bytes) {
      for (const certificate of readCertificates(toPem('CERTIFICATE', bytes))) {
        isIssuedBy(certificate, vector('ca-bundle.crt'));
        isIssuedBy(certificate, certificate.pem);
        fitsKey(certificate, vector('node.key'));
        certificate.notBefore.toISOString();
        certificate.notAfter.toISOString();
      }
    },
    throwsErrors: true,
    shape: derShape(30_000, caDer, ca2Der),
    tokens: DER_TOKENS,
  },

  csr: {
    run: (bytes) => readCsr(toPem('CERTIFICATE REQUEST', bytes)),
    throwsErrors: true,
    shape: derShape(30_000, csrDer),
    tokens: DER_TOKENS,
  },

  der: {
    run(bytes) {
      const value = decode(bytes);
      encode(value);
      for (const inner of [value, ...children(value)]) {
        content(inner);
        dottedOid(inner);
      }
    },
    throwsErrors: true,
    shape: derShape(DOCUMENT_BYTES_MAX, caDer, csrDer),
    tokens: DER_TOKENS,
  },

  yaml: {
    run: (bytes) => parseYaml(bytes.toString('utf8')),
    throwsErrors: true,
    shape: yamlShape(DOCUMENT_BYTES_MAX, kubeletDocument, { a: [1, 'b', { c: null }] }),
    tokens: YAML_TOKENS,
  },

  /** As it is, and with checksums that fit: or else hardly anything would come past the first line. */
  journal: {
    run(bytes) {
      const writer = new LineWriter();
      const resealed = bytes
        .toString('utf8')
        .split('\n')
        .flatMap((line) => {
          const record = json(line.replace(/,"sum":"[0-9a-f]{16}"\}$/, '}'));
          return typeof record === 'object' && record !== null ? [writer.line(record as JournalRecord)] : [];
        });
      for (const text of [bytes, Buffer.from(resealed.join(''))]) {
        const { records } = readJournal('journal.jsonl', text);
        if (records.length > 0) historyOf(records);
      }
    },
    shape: fc
      .array(jsonShape(...JOURNAL), { maxLength: 5 })
      .map((lines) => Buffer.concat([asJson(JOURNAL[0]), ...lines].flatMap((line) => [line, Buffer.from('\n')]))),
    tokens: words('"kind":|"start"|"change"|"undone"|"done"|"before":|"seq":2|"$secret"|,"sum":"0123456789abcdef"}|\n'),
  },

  transport: { run: overHttp, shape: httpShape, tokens: HTTP_TOKENS },

  'kubelet-configuration': {
    async run(bytes) {
      const [cluster = 'kubernetesVersion: v1.30.0', kubelet] = halves(bytes);
      const text = { 'kubeadm-config': { ClusterConfiguration: cluster }, 'kubelet-config': { kubelet } };
      const maps = (json(kubelet) ?? text) as Record<string, unknown>;
      const ports = portsOf(
        clusterConfig,
        serving((path) => {
          const name = path.split('/').pop() ?? '';
          const data = typeof maps === 'object' && maps !== null && Object.hasOwn(maps, name) ? maps[name] : undefined;
          return data === undefined ? undefined : ({ metadata: {}, data } as KubeObject);
        }),
      );
      const told = await clusterConfig.run(ports, { identity: { server: 'https://a', ca: '' }, dynamic: false });
      parseYaml(yamlOf(await withDefaults(ports, told.kubeletConfiguration))); // or the kubelet could not read what is written
    },
    shape: yamlShape(DOCUMENT_BYTES_MAX, kubeletDocument, {
      'kubeadm-config': { ClusterConfiguration: 'kubernetesVersion: v1.23.1' },
      'kubelet-config-1.23': { kubelet: JSON.stringify(kubeletDocument) },
    }),
    tokens: [...YAML_TOKENS, 'kind: KubeletConfiguration\n', 'cgroupDriver: ', 'kubernetesVersion: v1.2.3\n'],
  },

  flags: {
    run(bytes) {
      const given: Record<string, unknown> = {};
      const { properties } = joinWorkerPipeline.inputs;
      for (const line of bytes.toString('utf8').split('\n')) {
        const [name = '', ...value] = line.split('=');
        const text = value.join('=');
        const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
        if (schema?.type === 'array')
          given[name] = [...((given[name] as string[] | undefined) ?? []), ...text.split(',')];
        else if (schema !== undefined) given[name] = schema.type === 'boolean' ? true : text;
      }
      planOf(joinWorkerPipeline, registry, given, HOST);
    },
    shape: soup([
      ...[
        'endpoint=',
        'token=',
        'discoveryToken=',
        'tlsBootstrapToken=',
        'discoveryTokenCaCertHash=',
        'nodeName=',
        'criSocket=',
      ],
      ...[
        'discoveryTokenUnsafeSkipCaVerification=\n',
        'ignorePreflightErrors=',
        'wait=',
        '10.0.0.1:6443\n',
        '[::1]:6443\n',
        '\n',
      ],
      ...[
        'abcdef.0123456789abcdef\n',
        CA_PIN,
        ',',
        'ready\n',
        'w1.example\n',
        'a'.repeat(300),
        '-',
        '.',
        '\u001b',
        'Swap',
        'all\n',
      ],
    ]),
    tokens: ['=', ',', '\n', 'sha256:', '.', ':', '[', ']', '-'],
  },
};
