/** Rows about names: which host a certificate is for, and which names a CA may vouch for. */

import { sequence } from '../../../engine/pki/der.ts';
import { below, type CertificateCase, LEAF, leaf, MIDDLE, middle, root, row } from './case.ts';
import { altNames, ca, constraints } from './extensions.ts';
import { extension, nameOf } from './issue.ts';

const named = (host: string, ...names: string[]): Partial<CertificateCase> => ({
  host,
  chain: [leaf({ extensions: names.length === 0 ? [] : [altNames(...names)] })],
});

export const hosts = (): CertificateCase[] => [
  row('an address among others', 'verified', named('127.0.0.1', 'DNS:a.example', 'IP:10.0.0.1', 'IP:127.0.0.1')),
  row('another address', 'host-mismatch', named('127.0.0.1', 'IP:127.0.0.2')),
  row('an address as a DNS name', 'host-mismatch', named('127.0.0.1', 'DNS:127.0.0.1')),
  row('an IPv6 address', 'verified', named('fd00::1', 'IP:fd00::1')),
  row('another IPv6 address', 'host-mismatch', named('fd00::1', 'IP:fd00::2')),
  row('an IPv4 address that is written as IPv6', 'unreadable', {
    ...named('127.0.0.1', 'IP:00000000000000000000ffff7f000001'),
    stricter: 'Go reads such a certificate up to 1.25, and kubelets of later versions do not',
  }),
  row('an address of three bytes', 'unreadable', named('127.0.0.1', 'IP:7f0000')),
  row('a name', 'verified', named('api.example', 'DNS:api.example')),
  row('a name in capitals', 'verified', named('api.example', 'DNS:API.Example')),
  row('a name with a period at its end in the certificate', 'host-mismatch', named('api.example', 'DNS:api.example.')),
  row('a name with an underscore', 'verified', named('api_1.example', 'DNS:api_1.example')),
  row('another name', 'host-mismatch', named('api.example', 'DNS:web.example')),
  row('a name of which this is the end', 'host-mismatch', named('api.example', 'DNS:example')),
  row('a wildcard', 'verified', named('api.example', 'DNS:*.example')),
  row('a wildcard for two labels', 'host-mismatch', named('a.api.example', 'DNS:*.example')),
  row('a wildcard for no label', 'host-mismatch', named('example', 'DNS:*.example')),
  row('a wildcard in the middle', 'host-mismatch', named('a.b.example', 'DNS:a.*.example')),
  row('a wildcard for part of a label', 'host-mismatch', named('api.example', 'DNS:a*.example')),
  row('a wildcard alone', 'host-mismatch', named('localhost', 'DNS:*')),
  row('a name with a zero byte', 'host-mismatch', named('api.example', 'DNS:api.example\0.evil.example')),
  row('a name that is not ASCII', 'unreadable', named('api.example', 'DNS:api.example', 'DNS:bücher.example')),
  row('a common name and no alternative names', 'host-mismatch', {
    host: 'localhost',
    chain: [leaf({ extensions: [], subjectName: nameOf('localhost') })],
  }),
  row('a common name beside other alternative names', 'host-mismatch', {
    host: 'localhost',
    chain: [leaf({ extensions: [altNames('DNS:api.example')], subjectName: nameOf('localhost') })],
  }),
  row('an empty subject', 'verified', {
    chain: [leaf({ subjectName: nameOf('') })],
  }),
  row('alternative names of an unknown kind, critical', 'critical-extension', {
    chain: [leaf({ extensions: [extension('2.5.29.17', sequence(), 'critical')] })],
    leaf: LEAF,
  }),
];

type Constraints = Parameters<typeof constraints>[0];
const under = (limits: Constraints, host: string, ...names: string[]): Partial<CertificateCase> => ({
  ...named(host, ...names),
  roots: [root({ extensions: [ca(), constraints(limits)] })],
});

const TEN = 'IP:0a000000ff000000';
const LOOPBACK = 'IP:7f000000ff000000';

export const nameConstraints = (): CertificateCase[] => [
  row('a permitted address', 'verified', under({ permitted: [TEN, LOOPBACK] }, '127.0.0.1', 'IP:127.0.0.1')),
  row('an address that is not permitted', 'name-constraint', under({ permitted: [TEN] }, '127.0.0.1', 'IP:127.0.0.1')),
  row(
    'one of two addresses is not permitted',
    'name-constraint',
    under({ permitted: [LOOPBACK] }, '127.0.0.1', 'IP:127.0.0.1', 'IP:10.0.0.1'),
  ),
  row('an excluded address', 'name-constraint', under({ excluded: [LOOPBACK] }, '127.0.0.1', 'IP:127.0.0.1')),
  row('another address is excluded', 'verified', under({ excluded: [TEN] }, '127.0.0.1', 'IP:127.0.0.1')),
  row('a range of IPv6 does not permit IPv4', 'name-constraint', {
    ...under({ permitted: [`IP:${'fd'.padEnd(32, '0')}${'ff'.padEnd(32, '0')}`] }, '127.0.0.1', 'IP:127.0.0.1'),
  }),
  row(
    'an address where only domains are permitted',
    'verified',
    under({ permitted: ['DNS:example'] }, '127.0.0.1', 'IP:127.0.0.1'),
  ),
  row('a range whose mask is not a prefix', 'unknown-authority', {
    ...under({ permitted: ['IP:7f000000ff00ff00'] }, '127.0.0.1', 'IP:127.0.0.1'),
  }),
  row('a permitted domain', 'verified', under({ permitted: ['DNS:example'] }, 'api.example', 'DNS:api.example')),
  row(
    'a domain that ends like a permitted one',
    'name-constraint',
    under({ permitted: ['DNS:example'] }, 'api.myexample', 'DNS:api.myexample'),
  ),
  row(
    'a domain that is not permitted',
    'name-constraint',
    under({ permitted: ['DNS:example'] }, 'api.test', 'DNS:api.test'),
  ),
  row(
    'below a permitted domain with a leading period',
    'verified',
    under({ permitted: ['DNS:.example'] }, 'api.example', 'DNS:api.example'),
  ),
  row(
    'itself a permitted domain with a leading period',
    'name-constraint',
    under({ permitted: ['DNS:.api.example'] }, 'api.example', 'DNS:api.example'),
  ),
  row(
    'an excluded domain',
    'name-constraint',
    under({ permitted: ['DNS:example'], excluded: ['DNS:API.example'] }, 'api.example', 'DNS:api.example'),
  ),
  row('a wildcard that may stand for an excluded domain', 'name-constraint', {
    ...under({ excluded: ['DNS:evil.example'] }, 'api.example', 'DNS:*.example'),
    stricter: 'Go refuses it only in its latest versions',
  }),
  row(
    'an email address that is not permitted',
    'name-constraint',
    under({ permitted: ['email:example'] }, '127.0.0.1', 'IP:127.0.0.1', 'email:a@test'),
  ),
  row(
    'an email address that is permitted',
    'verified',
    under({ permitted: ['email:a@example'] }, '127.0.0.1', 'IP:127.0.0.1', 'email:a@Example'),
  ),
  row('a host below a permitted host for email', 'name-constraint', {
    ...under({ permitted: ['email:example'] }, '127.0.0.1', 'IP:127.0.0.1', 'email:a@mail.example'),
    stricter: 'RFC 5280 means the one host, and so do the latest versions of Go',
  }),
  row(
    'an excluded URI',
    'name-constraint',
    under({ excluded: ['URI:example'] }, '127.0.0.1', 'IP:127.0.0.1', 'URI:https://u@example:8/p'),
  ),
  row(
    'a permitted URI',
    'verified',
    under({ permitted: ['URI:.example'] }, '127.0.0.1', 'IP:127.0.0.1', 'URI:spiffe://a.example/p'),
  ),
  row(
    'a URI of an address under constraints',
    'name-constraint',
    under({ permitted: ['URI:.example'] }, '127.0.0.1', 'IP:127.0.0.1', 'URI:https://10.0.0.1/'),
  ),
  row(
    'a directory name that is constrained',
    'critical-extension',
    under({ permitted: ['dir:'] }, '127.0.0.1', 'IP:127.0.0.1'),
  ),
  row('constraints of an intermediate', 'name-constraint', {
    chain: [below(MIDDLE), middle({ extensions: [ca(), constraints({ permitted: [TEN] })] })],
  }),
  row('constraints of a trusted intermediate', 'name-constraint', {
    chain: [below(MIDDLE)],
    roots: [middle({ extensions: [ca(), constraints({ permitted: [TEN] })] })],
  }),
  row('constraints that are not critical', 'name-constraint', {
    roots: [root({ extensions: [ca(), constraints({ permitted: [TEN] }, '')] })],
  }),
  row("constraints that the intermediate's own names break", 'name-constraint', {
    chain: [below(MIDDLE), middle({ extensions: [ca(), altNames('DNS:middle.test')] })],
    roots: [root({ extensions: [ca(), constraints({ permitted: ['DNS:example'] })] })],
  }),
];
