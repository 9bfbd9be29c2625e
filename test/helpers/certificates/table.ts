/** The table of certificates: what Joinery says of each, which is what Go says, or stricter where a row says why. */
import type { CertificateCase } from './case.ts';
import { algorithmRows, encodingRows, timeRows } from './forms.ts';
import { hosts, nameConstraints } from './names.ts';
import { paths } from './paths.ts';

export const certificateTable = (): CertificateCase[] => [
  ...paths(),
  ...hosts(),
  ...nameConstraints(),
  ...algorithmRows(),
  ...timeRows(),
  ...encodingRows(),
];
