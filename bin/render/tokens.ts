/** Bootstrap tokens: a table with kubeadm's columns, and a document. */
import { clean, defined } from '../../engine/sdk/index.ts';
import { timestamp } from '../../engine/tokens/secret.ts';
import { type BootstrapToken, tokenText } from '../../engine/tokens/token.ts';
import type { TokenList } from '../../engine/tokens/tokens.ts';
import { tableText } from './table.ts';

export interface TokenOptions {
  /** Whether to show the secret halves. */
  secrets: boolean;
  now: Date;
  /** Of the terminal. Default: no limit. */
  width?: number;
}

export function tokensText({ tokens }: TokenList, { secrets, now, width }: TokenOptions): string {
  if (tokens.length === 0) return 'The cluster has no bootstrap token.';
  const rows = tokens.map((token) => [
    secrets ? tokenText(token) : `${token.id}.${'*'.repeat(16)}`,
    token.expiresAt === undefined ? '<forever>' : left(token.expiresAt.getTime() - now.getTime()),
    token.expiresAt === undefined ? '<never>' : timestamp(token.expiresAt),
    token.usages.join(',') || '<none>',
    clean(token.description) || '<none>',
    clean(token.groups.join(',')) || '<none>',
  ]);
  return tableText([['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'], ...rows], width);
}

export function tokensDocument({ tokens, unusable }: TokenList, { secrets }: TokenOptions): object {
  const items = tokens.map((token: BootstrapToken) =>
    defined({
      id: token.id,
      token: secrets ? tokenText(token) : undefined,
      expiresAt: token.expiresAt === undefined ? null : timestamp(token.expiresAt),
      usages: token.usages,
      groups: token.groups,
      description: token.description,
    }),
  );
  return { apiVersion: 'joinery.dev/v1', kind: 'BootstrapTokenList', tokens: items, unusable };
}

/** One unit, rounded down: 23h. */
function left(ms: number): string {
  if (ms <= 0) return '<expired>';
  const [size, unit] = UNITS.find(([size]) => ms >= size) ?? [1_000, 's'];
  return `${Math.floor(ms / size)}${unit}`;
}

const HOUR_MS = 3_600_000;
const UNITS: [sizeMs: number, unit: string][] = [
  [365 * 24 * HOUR_MS, 'y'],
  [24 * HOUR_MS, 'd'],
  [HOUR_MS, 'h'],
  [60_000, 'm'],
];
