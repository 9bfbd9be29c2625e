/** Faults of trust: certificates, redirects, cluster-infos, endpoints, tokens, and what the cluster issues. */
import { certificates } from './certificates.ts';
import { clusterInfos } from './cluster-infos.ts';
import { issues, tokens } from './credentials.ts';
import { endpoints } from './endpoints.ts';
import type { Fault } from './fault.ts';
import { redirects } from './redirects.ts';

export const trust: Fault[] = [...certificates, ...redirects, ...clusterInfos, ...endpoints, ...tokens, ...issues];
