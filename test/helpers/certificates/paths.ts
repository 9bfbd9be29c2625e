/** Rows about paths: what is trusted, in which order certificates come, how long a path may be. */
import { below, type CertificateCase, LEAF, leaf, MIDDLE, middle, ROOT, root, row } from './case.ts';
import { altNames, authorityKeyId, ca, keyUsage, notCa, subjectKeyId, usages } from './extensions.ts';
import { type Certificate, issue, party } from './issue.ts';

const STRANGER = party('stranger');
const stranger = issue({ subject: STRANGER, extensions: [ca(), keyUsage('keyCertSign')] });
/** Another key of the same name. */
const impostor = { name: 'root', key: STRANGER.key };
const SECOND = party('second');

function second(details: Parameters<typeof middle>[0] = {}): Certificate {
  return issue({ subject: SECOND, issuer: MIDDLE, extensions: [ca(), keyUsage('keyCertSign')], ...details });
}

/** Two CAs that have signed each other: a path could be endless. */
function circle(): Certificate[] {
  const [one, two] = [party('one'), party('two')];
  const extensions = [ca()];
  return [
    leaf({ issuer: one }),
    issue({ subject: one, issuer: two, extensions }),
    issue({ subject: two, issuer: one, extensions }),
  ];
}

/** Many CAs of one name and of different keys: each could be the issuer. */
const namesakes = (count: number): Certificate[] =>
  Array.from({ length: count }, (_, index) =>
    issue({ subject: { name: 'middle', key: party(`namesake-${index}`).key }, issuer: ROOT, extensions: [ca()] }),
  );

const own = leaf();
const selfSigned = issue({ subject: LEAF, extensions: [altNames('IP:127.0.0.1')] });

export const paths = (): CertificateCase[] => [
  row('a leaf of the root', 'verified'),
  row('the root is presented too', 'verified', { chain: [leaf(), root()] }),
  row('one of two trusted roots', 'verified', { roots: [stranger, root()] }),
  row('an intermediate that is presented', 'verified', { chain: [below(MIDDLE), middle()] }),
  row('an intermediate that is not presented', 'unknown-authority', { chain: [below(MIDDLE)] }),
  row('two intermediates in the wrong order, among strangers', 'verified', {
    chain: [below(SECOND), stranger, middle(), second()],
  }),
  row('the same certificates twice', 'verified', { chain: [below(MIDDLE), below(MIDDLE), middle(), middle()] }),
  row('only the intermediate is trusted', 'verified', { chain: [below(MIDDLE)], roots: [middle()] }),
  row('the trusted intermediate is presented too', 'verified', {
    chain: [below(MIDDLE), middle()],
    roots: [middle()],
  }),
  row('the trusted intermediate has expired, its root has not', 'verified', {
    chain: [below(MIDDLE), middle()],
    roots: [middle({ notAfter: new Date(Date.now() - 60_000) }), root()],
  }),
  row("the server's own certificate is trusted", 'verified', { chain: [own], roots: [own] }),
  row('a self-signed certificate that is trusted', 'verified', { chain: [selfSigned], roots: [selfSigned] }),
  row("a trusted self-signed certificate of the server's name, but of another key", 'unknown-authority', {
    chain: [selfSigned],
    roots: [issue({ subject: { name: 'leaf', key: STRANGER.key }, extensions: [ca()] })],
  }),
  row('a self-signed certificate of a stranger', 'unknown-authority', {
    chain: [issue({ subject: LEAF, extensions: [altNames('IP:127.0.0.1')] })],
  }),
  row('a CA that is not trusted', 'unknown-authority', { chain: [leaf({ issuer: STRANGER }), stranger] }),
  row('a CA of the same name with another key', 'unknown-authority', { chain: [leaf({ issuer: impostor })] }),
  row('a signature with one wrong bit', 'unknown-authority', {
    chain: [
      leaf({
        damage: (signature) => {
          const damaged = Buffer.from(signature);
          damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
          return damaged;
        },
      }),
    ],
  }),
  row('two CAs that signed each other', 'unknown-authority', { chain: circle() }),
  row('two CAs that signed each other, one of them trusted', 'verified', {
    chain: circle(),
    roots: circle().slice(2),
  }),
  row('a key identifier that does not fit', 'verified', {
    chain: [leaf({ extensions: [altNames('IP:127.0.0.1'), authorityKeyId('one')] })],
    roots: [root({ extensions: [ca(), subjectKeyId('two')] })],
  }),
  row('20 CAs of the same name', 'verified', { chain: [below(MIDDLE), ...namesakes(20), middle()] }),
  row('150 CAs of the same name', 'too-many-certificates', {
    chain: [below(MIDDLE), ...namesakes(150), middle()],
  }),
  row('a chain of three with path lengths that allow it', 'verified', {
    chain: [below(SECOND), second({ extensions: [ca(0)] }), middle({ extensions: [ca(1)] })],
    roots: [root({ extensions: [ca(2)] })],
  }),
  row('a path length of 0 above a CA', 'path-length', {
    chain: [below(SECOND), second(), middle({ extensions: [ca(0)] })],
  }),
  row('a path length of the root itself', 'path-length', {
    chain: [below(MIDDLE), middle()],
    roots: [root({ extensions: [ca(0)] })],
  }),
  row('an intermediate that is not a CA', 'not-a-ca', { chain: [below(MIDDLE), middle({ extensions: [notCa()] })] }),
  row('an intermediate without basic constraints', 'not-a-ca', { chain: [below(MIDDLE), middle({ extensions: [] })] }),
  row('a root that is not a CA', 'not-a-ca', { roots: [root({ extensions: [notCa()] })] }),
  row('a root without basic constraints', 'not-a-ca', { roots: [root({ extensions: [keyUsage('keyCertSign')] })] }),
  row('a root of version 1', 'verified', { roots: [root({ version: 1, extensions: [] })] }),
  row('an intermediate of version 1', 'not-a-ca', {
    chain: [below(MIDDLE), middle({ version: 1, extensions: [] })],
  }),
  row('a root that may not sign certificates', 'key-usage', {
    roots: [root({ extensions: [ca(), keyUsage('digitalSignature')] })],
  }),
  row('an intermediate that may not sign certificates', 'key-usage', {
    chain: [below(MIDDLE), middle({ extensions: [ca(), keyUsage('digitalSignature')] })],
  }),
  row('a CA without key usage', 'verified', { roots: [root({ extensions: [ca()] })] }),
  row('a root that is only for clients', 'extended-key-usage', {
    roots: [root({ extensions: [ca(), usages('client')] })],
  }),
  row('an intermediate that is only for clients', 'extended-key-usage', {
    chain: [below(MIDDLE), middle({ extensions: [ca(), usages('client')] })],
  }),
  row('usages that are nested', 'verified', {
    chain: [
      below(MIDDLE, { extensions: [altNames('IP:127.0.0.1'), usages('server', 'client')] }),
      middle({ extensions: [ca(), usages('server', 'unknown')] }),
    ],
    roots: [root({ extensions: [ca(), usages('any')] })],
  }),
  row('a leaf that is only for clients', 'extended-key-usage', {
    chain: [leaf({ extensions: [altNames('IP:127.0.0.1'), usages('client')] })],
  }),
  row('a leaf for any usage', 'verified', {
    chain: [leaf({ extensions: [altNames('IP:127.0.0.1'), usages('any')] })],
  }),
  row('a leaf for an unknown usage', 'extended-key-usage', {
    chain: [leaf({ extensions: [altNames('IP:127.0.0.1'), usages('unknown')] })],
  }),
];
