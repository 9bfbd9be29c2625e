/** Readers of YAML, kubeconfigs, journals, HTTP answers and kubelet configurations. */
import fc from 'fast-check';
import { parse } from 'yaml';
import { historyOf } from '../../engine/journal/history.ts';
import { LineWriter, readJournal } from '../../engine/journal/journal-file.ts';
import type { JournalRecord } from '../../engine/journal/records.ts';
import { readKubeconfig } from '../../engine/node/index.ts';
import { completed } from '../../engine/node/kubelet-configuration.ts';
import { goYaml, type KubeObject, parseYaml } from '../../engine/sdk/index.ts';
import clusterConfig from '../../phases/cluster-config/index.ts';
import { HTTP_TOKENS, httpShape, overHttp } from './forged-server.ts';
import {
  DOCUMENT_BYTES_MAX,
  halves,
  JOURNAL,
  json,
  kubeconfig,
  kubeletDocument,
  portsOf,
  serving,
  words,
} from './materials.ts';
import { asJson, jsonShape, YAML_TOKENS, yamlShape } from './shapes.ts';
import type { Target } from './target.ts';

export const documentTargets: Record<string, Target> = {
  kubeconfig: {
    run: (bytes) => readKubeconfig(bytes.toString('utf8')),
    throwsErrors: true,
    shape: yamlShape(DOCUMENT_BYTES_MAX, parse(kubeconfig)),
    tokens: [
      ...YAML_TOKENS,
      ...words('clusters: |cluster: |users: |user: |server: |certificate-authority-data: |https://'),
    ],
  },

  yaml: {
    run: (bytes) => parseYaml(bytes.toString('utf8')),
    throwsErrors: true,
    shape: yamlShape(DOCUMENT_BYTES_MAX, kubeletDocument, { a: [1, 'b', { c: null }] }),
    tokens: YAML_TOKENS,
  },

  journal: {
    /** Reads the journal also with corrected checksums: few mutations would pass the first line otherwise. */
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
      const outputs = await clusterConfig.run(ports, { identity: { server: 'https://a', ca: '' }, dynamic: false });
      const { clusterConfiguration, kubeletConfiguration } = outputs;
      const release = { kubeletVersion: 'v1.36.2', clusterConfiguration, caCertPath: '/etc/kubernetes/pki/ca.crt' };
      const document = await completed(ports, kubeletConfiguration, release);
      parseYaml(goYaml(document)); // the kubelet must be able to read it
    },
    shape: yamlShape(DOCUMENT_BYTES_MAX, kubeletDocument, {
      'kubeadm-config': { ClusterConfiguration: 'kubernetesVersion: v1.23.1' },
      'kubelet-config-1.23': { kubelet: JSON.stringify(kubeletDocument) },
    }),
    tokens: [...YAML_TOKENS, 'kind: KubeletConfiguration\n', 'cgroupDriver: ', 'kubernetesVersion: v1.2.3\n'],
  },
};
