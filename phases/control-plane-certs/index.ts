/** Makes the certificates of a control plane that are not on the machine yet. Source: kubeadm, phases/certs. */
import {
  type Authority,
  type ControlPlaneSettings,
  controlPlaneSettings,
  holds,
  issuedPair,
  type Pair,
  readAuthority,
} from '../../engine/node/index.ts';
import { privateKeyPem, publicKeyPem } from '../../engine/pki/index.ts';
import { definePhase, type Effect, type Files, fail, type Ports, type Secret, writes } from '../../engine/sdk/index.ts';
import { pairProblem } from './existing.ts';
import { isAltName, LEAF_NAMES, type Leaf, leavesOf } from './leaves.ts';
import { input, output } from './schema.ts';

const START_MARGIN_MS = 300_000;

const pairEffects = ({ name, why }: { name: string; why: string }): Effect[] => [
  writes(`{certificatesDir}/${name}.key`, 0o600, `key of the certificate ${why}`),
  writes(`{certificatesDir}/${name}.crt`, 0o644, `certificate ${why}`),
];

export default definePhase({
  name: 'control-plane-certs',
  summary: "Issue this control plane's certificates from the cluster's CAs",
  input,
  output,
  effects: [
    ...LEAF_NAMES.flatMap(pairEffects),
    writes('{certificatesDir}/sa.pub', 0o600, 'public key of service accounts, if only the private key is there'),
  ],

  async run(ports, { certificatesDir, clusterConfiguration, nodeName, advertiseAddress }) {
    const { files, log } = ports;
    const settings = controlPlaneSettings(clusterConfiguration);
    const { wrong, leaves } = withoutWrongNames(leavesOf(settings, { nodeName, advertiseAddress }));
    for (const name of wrong) log.warn(`${name} is neither a DNS name nor an address, so no certificate gets it`);
    const problems: string[] = [];
    const report = (problem: string | undefined) => problem !== undefined && problems.push(problem);
    const authorities = await readAuthorities(files, certificatesDir, leaves, report);
    const unissued: { leaf: Leaf; authority: Signer; problem: string }[] = [];
    for (const leaf of leaves) {
      const authority = authorities.get(leaf.authority);
      if (authority === undefined) continue;
      const path = `${certificatesDir}/${leaf.name}`;
      const problem = await pairProblem(ports, path, authority.certificate, leaf.altNames);
      if (problem === undefined) continue;
      const { key } = authority;
      if (key === undefined) {
        report(`${problem.text}, and ${certificatesDir}/${leaf.authority}.key, which could issue it, does not exist`);
        continue;
      }
      unissued.push({ leaf, authority: { ...authority, key }, problem: problem.text });
    }
    const missing: { leaf: Leaf; pair: Pair }[] = [];
    const pairs = await Promise.all(unissued.map(({ leaf, authority }) => issue(ports, authority, leaf, settings)));
    for (const [index, { leaf, problem }] of unissued.entries()) {
      const pair = pairs[index] as Pair;
      if (await isFree(files, `${certificatesDir}/${leaf.name}`, pair)) missing.push({ leaf, pair });
      else report(problem);
    }
    const publicKey = await missingPublicKey(files, certificatesDir, report);
    if (problems.length > 0) throw fail('E_CONTROL_PLANE_CERTIFICATES', { problems });
    for (const { leaf, pair } of missing) {
      await files.write(`${certificatesDir}/${leaf.name}.key`, pair.key, 0o600);
      await files.write(`${certificatesDir}/${leaf.name}.crt`, pair.certificate, 0o644);
      log.info(`issued ${leaf.name}.crt${leaf.altNames.length === 0 ? '' : ` for ${leaf.altNames.join(', ')}`}`);
    }
    if (publicKey !== undefined) await files.write(`${certificatesDir}/sa.pub`, publicKey, 0o600);
    if (missing.length === 0) log.info('every certificate of a control plane is on this machine');
    return {};
  },
});

type Signer = Authority & { key: Secret };
type Report = (problem: string | undefined) => unknown;

async function readAuthorities(files: Files, directory: string, leaves: readonly Leaf[], report: Report) {
  const authorities = new Map<string, Authority>();
  for (const name of new Set(leaves.map(({ authority }) => authority))) {
    try {
      authorities.set(name, await readAuthority(files, directory, name));
    } catch (error) {
      report((error as Error).message); // one line that names the file
    }
  }
  return authorities;
}

const issue = (
  ports: Ports,
  authority: Signer,
  { name, commonName, organizations, use, altNames }: Leaf,
  { keyAlgorithm, certificateValidityMs, version }: ControlPlaneSettings,
): Promise<Pair> =>
  issuedPair(ports, authority, name, {
    subject: { commonName, organizations },
    use,
    altNames,
    notBefore: holds('leavesStartNow', version)
      ? new Date(ports.clock.now().getTime() - START_MARGIN_MS)
      : authority.certificate.notBefore,
    algorithm: keyAlgorithm,
    validityMs: certificateValidityMs,
  });

/** Whether nothing but this pair is there: an attempt that was interrupted may have written one of its files. */
async function isFree(files: Files, path: string, pair: Pair): Promise<boolean> {
  const [key, certificate] = [await files.read(`${path}.key`), await files.read(`${path}.crt`)];
  const isOwn = (content: Buffer | undefined, own: string) => content === undefined || content.toString('utf8') === own;
  return isOwn(key, pair.key.reveal()) && isOwn(certificate, pair.certificate);
}

/** kubeadm would make a new pair, with which no other API server accepts the tokens of this one. */
async function missingPublicKey(files: Files, directory: string, report: Report): Promise<string | undefined> {
  const text = (await files.read(`${directory}/sa.key`))?.toString('utf8');
  if (text === undefined) {
    report(`${directory}/sa.key, which must be the same on every control plane, does not exist`);
    return undefined;
  }
  try {
    const publicKey = publicKeyPem(privateKeyPem(text));
    return (await files.stat(`${directory}/sa.pub`)) === undefined ? publicKey : undefined;
  } catch (error) {
    report(`${directory}/sa.key: ${(error as Error).message}`);
    return undefined;
  }
}

function withoutWrongNames(all: readonly Leaf[]): { wrong: Set<string>; leaves: Leaf[] } {
  const wrong = new Set(all.flatMap(({ altNames }) => altNames.filter((name) => !isAltName(name))));
  return { wrong, leaves: all.map((leaf) => ({ ...leaf, altNames: leaf.altNames.filter(isAltName) })) };
}
