/** What state this machine and its cluster are in, and what to do about it. Changes nothing. */
import { joiningIdentity, kubeletIdentity } from '../../engine/node/index.ts';
import { apiCalls, definePhase, type Identity, runs } from '../../engine/sdk/index.ts';
import { clusterFindings, requestFindings } from './cluster.ts';
import type { Finding } from './finding.ts';
import { fileFindings, identityFinding, serviceFinding } from './machine.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'doctor',
  summary: 'Say what state this machine and its cluster are in',
  input,
  output,
  effects: [
    runs('journalctl', 'the last words of a kubelet that does not run'),
    apiCalls(['get'], 'nodes', "what the cluster thinks of this machine's Node"),
    apiCalls(['get'], 'certificatesigningrequests', 'whether a request waits for a human'),
    apiCalls(['get'], 'configmaps', 'cluster-info, to see that the server answers'),
  ],

  async run(ports, { csr, server, ca, ...joining }) {
    const held = await kubeletIdentity(ports.files);
    const findings: Finding[] = [await identityFinding(ports, held), ...(await fileFindings(ports, held))];
    findings.push(...(await serviceFinding(ports, held)));
    if (held !== undefined && held.nodeName !== '') {
      const { server: own, ca: trusted, certificate: pem, key, nodeName } = held;
      const identity: Identity = { server: own, ca: trusted, certificate: { pem, key } };
      findings.push(...(await clusterFindings(ports, identity, nodeName)));
    } else if (held === undefined && server !== undefined && ca !== undefined)
      findings.push(...(await requestFindings(ports, joiningIdentity({ server, ca, ...joining }), csr)));
    return { findings };
  },
});
