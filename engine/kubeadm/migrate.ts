/** Migrates a configuration of any version to v1beta4, and reports what was lost. */
import { type Problem, Secret } from '../sdk/index.ts';
import { dottedPathOf, FIELDS, type Field, fieldValue } from './fields.ts';
import { type LoadOptions, readConfiguration, type WrittenConfiguration } from './load.ts';
import { argumentsOf, settingsOf, socketUrl } from './settings.ts';
import { apiVersionOf, LATEST } from './versions.ts';
import { type Move, writeMoved } from './write.ts';

export interface Migration {
  from: string;
  /** YAML of a JoinConfiguration. It contains the tokens. */
  text: Secret;
  changes: Change[];
  warnings: Problem[];
}

/** A field whose meaning has changed. Fields that only moved or changed their form are not included. */
export interface Change {
  /** Path in the old version. */
  field: string;
  lost: boolean;
  why: string;
}

/**
 * Loads, checks and migrates a file. A v1beta4 file keeps its meaning. Comments are kept, except those of lost fields.
 * Throws the same errors as `loadJoinConfiguration`, and no others.
 */
export function migrateConfiguration(file: string, text: string, options: LoadOptions = {}): Migration {
  const written = readConfiguration(file, text, options);
  const { moves, changes } = planned(written);
  return {
    from: apiVersionOf(written.version),
    text: new Secret(writeMoved(written, moves)),
    changes,
    warnings: written.warnings,
  };
}

const OF_TOKEN_DISCOVERY: readonly Field[] = ['apiServers', 'caCertHashes', 'unsafeSkipCaVerification'];
const OF_CONTROL_PLANE: readonly Field[] = ['advertiseAddress', 'bindPort', 'certificateKey'];
const WHY_LOST: Partial<Record<Field, string>> = {
  clusterName: 'kubeadm reads it from the cluster',
  featureGates: 'kubeadm reads them from the cluster',
  apiEndpoint: 'only a control-plane node has one',
};

function planned({ version, value: document, dropped }: WrittenConfiguration): { moves: Move[]; changes: Change[] } {
  const moves: (Move & { order: number })[] = [];
  const changes: Change[] = dropped.map((field) => ({
    field,
    lost: true,
    why: 'it is not part of a configuration for joining',
  }));
  const settings = settingsOf(version, document);
  const byFile = settings.discovery.by === 'file';
  const isWorker = settings.controlPlane === undefined;
  const of = (field: Field) => fieldValue(version, document, field);
  const move = (field: Field, value: unknown, as = field) => {
    const [from, to] = [dottedPathOf(field, version), dottedPathOf(as, LATEST)];
    if (from !== undefined && to !== undefined)
      moves.push({ from, to, value, isSame: value === of(field), order: FIELDS.indexOf(as) });
  };
  const change = (field: Field, lost: boolean, why: string) =>
    changes.push({ field: dottedPathOf(field, version) ?? field, lost, why });

  for (const field of FIELDS) {
    const value = of(field);
    const why = WHY_LOST[field];
    if (value === undefined || (isWorker && [...OF_CONTROL_PLANE, 'controlPlane'].includes(field))) continue;
    if (field === 'controlPlane') move(field, {});
    else if (field === 'apiEndpoint' && !isWorker)
      continue; // its fields are moved
    else if (why !== undefined) change(field, true, why);
    else if (byFile && OF_TOKEN_DISCOVERY.includes(field)) {
      if ([value].flat().some(Boolean)) change(field, true, 'discovery by a file does not use it');
    } else if (field === 'token') {
      // It is the default of both other tokens. If the bootstrap token is missing, v1beta4 uses the discovery token.
      if (!byFile && of('discoveryToken') === undefined) move(field, value, 'discoveryToken');
      else if (of('tlsBootstrapToken') === undefined) move(field, value, 'tlsBootstrapToken');
      else change(field, true, 'the discovery token and the bootstrap token override it');
    } else if (field === 'apiServers' && Array.isArray(value)) {
      move(field, value[0]);
      if (value.length > 1)
        change(field, true, `v1beta4 has only one API server, so only the first of ${value.length} is kept`);
    } else if (field === 'criSocket') {
      const url = socketUrl(String(value));
      move(field, url);
      if (url !== value) change(field, false, 'unix:// was added, because kubeadm only accepts URLs');
    } else if (field === 'kubeletExtraArgs' && !Array.isArray(value)) move(field, argumentsOf(value));
    else move(field, value);
  }
  return { moves: moves.sort((a, b) => a.order - b.order), changes };
}
