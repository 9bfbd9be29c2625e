/** A certificate in the words of `openssl x509 -text`, without its times. */
import { X509Certificate } from 'node:crypto';

const USAGES: Record<string, string> = {
  '1.3.6.1.5.5.7.3.1': 'TLS Web Server Authentication',
  '1.3.6.1.5.5.7.3.2': 'TLS Web Client Authentication',
};

export function certificateText(pem: string): string {
  const x509 = new X509Certificate(pem);
  const name = (lines: string) =>
    lines
      .split('\n')
      .map((line) => line.replace('=', ' = '))
      .join(', ');
  const text = [
    `subject=${name(x509.subject)}`,
    `issuer=${name(x509.issuer)}`,
    'X509v3 Key Usage: critical',
    `    Digital Signature, Key Encipherment${x509.ca ? ', Certificate Sign' : ''}`,
    'X509v3 Extended Key Usage: ',
    `    ${(x509.keyUsage ?? []).map((usage) => USAGES[usage]).join(', ')}`,
    'X509v3 Basic Constraints: critical',
    `    CA:${x509.ca ? 'TRUE' : 'FALSE'}`,
  ];
  if (x509.subjectAltName !== undefined) text.push('X509v3 Subject Alternative Name: ', `    ${x509.subjectAltName}`);
  return `${text.join('\n')}\n`;
}
