/** Diagnoses this machine and its cluster. Changes nothing. */
import { joiningIdentity, kubeletIdentity } from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import { apiCalls, defined, definePhase, type Identity, runs } from '../../engine/sdk/index.ts';
import { clusterFindings, requestFindings } from './cluster.ts';
import type { Finding } from './finding.ts';
import { fileFindings, identityFinding, serviceFinding } from './machine.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'doctor',
  summary: 'Diagnose this machine and its cluster',
  input,
  output,
  effects: [
    runs('journalctl', 'the last log line of a kubelet that is not running'),
    apiCalls(['get'], 'nodes', "the state of this machine's Node"),
    apiCalls(['get'], 'certificatesigningrequests', 'the state of the CSR'),
    apiCalls(['get'], 'configmaps', 'cluster-info, to verify that the server answers'),
  ],

  async run(ports, { csr, identity, joinedAt, progress }) {
    const held = await kubeletIdentity(ports.files);
    const findings: Finding[] = [await identityFinding(ports, held), ...(await fileFindings(ports, held, progress))];
    findings.push(...(await serviceFinding(ports, held, progress)));
    if (held !== undefined && held.nodeName !== '') {
      const { server, ca, certificate: pem, key, nodeName } = held;
      const node: Identity = { server, ca, certificate: { pem, key } };
      const { findings: ofCluster, uid } = await clusterFindings(ports, node, { nodeName, progress, joinedAt });
      const caPins = readCertificates(ca).map(({ pin }) => pin);
      return { findings: [...findings, ...ofCluster], node: { name: nodeName, server, caPins, ...defined({ uid }) } };
    }
    if (held === undefined && identity !== undefined)
      findings.push(...(await requestFindings(ports, joiningIdentity(identity), csr)));
    return { findings };
  },
});
