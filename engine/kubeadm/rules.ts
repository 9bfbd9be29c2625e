/** Rules between fields that a schema cannot express. Source: kubeadm's validation of join configurations. */
import type { Path, Problems } from '../documents/problems.ts';
import { controlPlaneFields, fields } from '../node/index.ts';
import { bytesOfAddress } from '../pki/index.ts';
import { Secret } from '../sdk/index.ts';
import { oddCharacterNote } from '../sdk/odd-characters.ts';
import { dottedPathOf, type Field, fieldValue, nameOf, pathOf, valueAt } from './fields.ts';
import { argumentsOf, hostnameOverride, TIMEOUT_FIELDS } from './settings.ts';
import type { Version } from './versions.ts';

/** The document that the rules check. Values of wrong types are reported by then, but they are still in it. */
interface Subject {
  version: Version;
  document: object;
  problems: Problems;
}

/** Adds to `problems`, at the fields concerned. */
export function checkRules(version: Version, document: object, problems: Problems): void {
  const subject = { version, document, problems };
  for (const rule of [discovery, ignoredChecks, kubeletArguments, taints, nodeName, timeouts, controlPlane])
    rule(subject);
}

/** The field's name in this version. */
const named = ({ version }: Subject, field: Field): string => dottedPathOf(field, version) ?? '';
const pathTo = (subject: Subject, field: Field): string[] => pathOf(named(subject, field));
const find = ({ version, document }: Subject, field: Field): unknown => fieldValue(version, document, field);
/** Reports a problem of the value at `path`, with the path as the first word. */
const report = ({ problems }: Subject, path: Path, what: string): void => problems.at(path, `${nameOf(path)} ${what}`);
const listed = (value: unknown): unknown[] => (value === undefined ? [] : [value].flat());

function discovery(subject: Subject): void {
  const { document, problems } = subject;
  const { byToken, byFile, tokenName, fileName } = waysOf(subject);
  const isOpen = (field: Field) => isMapping(valueAt(document, stanzaOf(subject, field)));
  if (byToken && byFile)
    problems.at(pathTo(subject, 'discoveryFile'), `${fileName} and ${tokenName} cannot be combined`);
  else if (byToken && isOpen('discoveryToken')) tokenDiscovery(subject);
  else if (byFile && isOpen('discoveryFile')) fileDiscovery(subject);
  else if (!byToken && !byFile && isMapping(valueAt(document, ['discovery']) ?? {}))
    problems.at(['discovery'], `${tokenName} or ${fileName} is missing: it decides which cluster to trust`);
}

/**
 * Up to v1alpha3, the fields show which kind of discovery the file uses. Later versions have one mapping for each kind.
 */
function waysOf(subject: Subject) {
  if (subject.version.startsWith('v1beta')) {
    const [token, file] = [stanzaOf(subject, 'discoveryToken'), stanzaOf(subject, 'discoveryFile')];
    return {
      byToken: valueAt(subject.document, token) !== undefined,
      byFile: valueAt(subject.document, file) !== undefined,
      tokenName: nameOf(token),
      fileName: nameOf(file),
    };
  }
  const byFile = find(subject, 'discoveryFile') !== undefined;
  const byToken = find(subject, 'discoveryToken') !== undefined || (find(subject, 'token') !== undefined && !byFile);
  return { byToken, byFile, tokenName: byFile ? 'discoveryToken' : 'token', fileName: 'discoveryFile' };
}

const stanzaOf = (subject: Subject, field: Field): string[] => pathTo(subject, field).slice(0, -1);
const isMapping = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function tokenDiscovery(subject: Subject): void {
  const { problems } = subject;
  const stanza = stanzaOf(subject, 'discoveryToken');
  if (find(subject, 'discoveryToken') === undefined && find(subject, 'token') === undefined)
    problems.at(stanza, `${named(subject, 'discoveryToken')} is missing`);

  if (listed(find(subject, 'apiServers')).length === 0)
    problems.at(stanza, `${named(subject, 'apiServers')} is missing`);

  if (listed(find(subject, 'caCertHashes')).length === 0 && find(subject, 'unsafeSkipCaVerification') !== true)
    problems.at(
      stanza,
      `the CA key must be pinned: ${named(subject, 'caCertHashes')} (kubeadm token create --print-join-command ` +
        `prints it), or ${named(subject, 'unsafeSkipCaVerification')}: true`,
    );
}

function fileDiscovery(subject: Subject): void {
  const file = find(subject, 'discoveryFile');
  const path = pathTo(subject, 'discoveryFile');
  const wrong = file === undefined ? 'is missing' : wrongWithFile(String(file));
  if (wrong !== undefined) report(subject, path, wrong);
  if (listed(find(subject, 'caCertHashes')).length > 0)
    report(subject, pathTo(subject, 'caCertHashes'), 'only applies to discovery by a token');
}

/**
 * Whether the file exists is only known when it is read. The value is not quoted, because a URL may contain a password.
 */
function wrongWithFile(file: string): string | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(file)?.[1]?.toLowerCase();
  if (scheme === undefined) return undefined;
  if (scheme === 'https') return URL.canParse(file) ? undefined : 'is not a URL';
  if (scheme !== 'file') return 'must be a path or an https:// URL: other URLs do not prove the identity of the server';
  if (!/^file:\/\/\/./.test(file) || !isDecodable(file)) return 'must be file:/// and a path';
  return undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function ignoredChecks(subject: Subject): void {
  const checks = new Set(listed(find(subject, 'ignorePreflightErrors')).map((check) => String(check).toLowerCase()));
  if (checks.size > 1 && checks.has('all'))
    report(
      subject,
      pathTo(subject, 'ignorePreflightErrors'),
      'contains all, which means every check: remove the other names',
    );
}

const ARGUMENT_NAME = new RegExp(fields.argumentName.pattern);
const ONE_LINE = new RegExp(fields.argumentValue.pattern);

/** As the phase that writes them says it, which has no place for the forms of keys in a mapping. */
function kubeletArguments(subject: Subject): void {
  const given = find(subject, 'kubeletExtraArgs');
  const path = pathTo(subject, 'kubeletExtraArgs');
  const place = (index: number, name: string, key: string): Path =>
    Array.isArray(given) ? [...path, index, key] : [...path, name];
  for (const [index, { name, value }] of argumentsOf(given).entries()) {
    if (typeof name === 'string' && !ARGUMENT_NAME.test(name))
      subject.problems.at(
        place(index, name, 'name'),
        `${nameOf(path)}: a name must ${fields.argumentName['x-form']}${oddCharacterNote(name)}`,
      );
    if (typeof value === 'string' && !ONE_LINE.test(value))
      report(subject, place(index, name, 'value'), `must ${fields.argumentValue['x-form']}`);
  }
}

function taints(subject: Subject): void {
  const path = pathTo(subject, 'taints');
  for (const [index, taint] of listed(find(subject, 'taints')).entries())
    for (const key of ['key', 'value']) {
      const text = valueAt(taint, [key]);
      if (typeof text === 'string' && !ONE_LINE.test(text))
        report(subject, [...path, index, key], `must ${fields.argumentValue['x-form']}`);
    }
}

/** Checks the argument that overrides the name of the node registration. The schema checks the name itself. */
function nodeName(subject: Subject): void {
  const given = find(subject, 'kubeletExtraArgs');
  const args = argumentsOf(given).filter(({ value }) => typeof value === 'string');
  const isSet = args.some((argument) => argument.name === 'hostname-override');
  const name = hostnameOverride(args) ?? (isSet ? '' : undefined); // kubeadm finds no Node for an empty name
  const isName = name === undefined || (name.length <= fields.nodeName.maxLength && NODE_NAME.test(name));
  if (isName) return;
  const index = Array.isArray(given) ? given.findLastIndex((item) => item?.name === 'hostname-override') : -1;
  const inner = index < 0 ? ['hostname-override'] : [index, 'value'];
  report(subject, [...pathTo(subject, 'kubeletExtraArgs'), ...inner], `must ${fields.nodeName['x-form']}`);
}

const NODE_NAME = new RegExp(fields.nodeName.pattern);

/** The values are checked for a worker, too, as kubeadm does. The key is a secret, so it is not quoted. */
function controlPlane(subject: Subject): void {
  const [address, port, key] = [
    find(subject, 'advertiseAddress'),
    find(subject, 'bindPort'),
    find(subject, 'certificateKey'),
  ];
  if (typeof address === 'string' && bytesOfAddress(address) === undefined)
    report(subject, pathTo(subject, 'advertiseAddress'), `must ${controlPlaneFields.advertiseAddress['x-form']}`);
  if (typeof port === 'number' && (port < 0 || port > 65_535))
    report(subject, pathTo(subject, 'bindPort'), 'must be a port from 1 to 65535');
  if (key instanceof Secret && !CERTIFICATE_KEY.test(key.reveal()))
    report(subject, pathTo(subject, 'certificateKey'), `must ${controlPlaneFields.certificateKey['x-form']}`);
}

const CERTIFICATE_KEY = new RegExp(controlPlaneFields.certificateKey.pattern);

/** kubeadm accepts these values, and then fails at once. */
function timeouts(subject: Subject): void {
  for (const field of TIMEOUT_FIELDS) {
    const duration = find(subject, field);
    if (typeof duration === 'string' && /\d/.test(duration) && !/[1-9]/.test(duration))
      report(subject, pathTo(subject, field), 'must be more than 0s');
  }
}
