/** Finds the CA certificates in a file: a PEM bundle, or a kubeconfig that contains one. */

import { reasonOf } from '../limits/errno.ts';
import {
  clusterInUse,
  clusterNamed,
  currentContext,
  type Kubeconfig,
  type KubeconfigCluster,
  readKubeconfig,
} from '../node/kubeconfig.ts';
import { type Certificate, readCertificates } from '../pki/index.ts';

/**
 * In the order of the file; at least one. `read` gives a file that a kubeconfig refers to. Throws an Error that says
 * what is wrong.
 */
export function caCertificates(text: string, read?: (path: string) => string): Certificate[] {
  const isPem = text.includes('-----BEGIN ');
  const certificates = certificatesOf(isPem ? text : caOfKubeconfig(text, read));
  if (certificates.length === 0) throw new Error('it contains no certificate');
  return certificates;
}

function certificatesOf(pem: string): Certificate[] {
  try {
    return readCertificates(pem);
  } catch (error) {
    throw new Error(`a certificate in it is damaged (${(error as Error).message})`, { cause: error });
  }
}

function caOfKubeconfig(text: string, read?: (path: string) => string): string {
  const { ca, caFile } = clusterOf(text);
  if (ca !== '' || caFile === undefined) return ca;
  if (read === undefined) throw new Error(`its CA is in another file, ${caFile}`);
  try {
    return read(caFile);
  } catch (error) {
    throw new Error(`its CA file ${caFile}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The cluster that a join would use. */
function clusterOf(text: string): KubeconfigCluster {
  const kubeconfig = asKubeconfig(text);
  return clusterInUse(kubeconfig) ?? clusterNamed(kubeconfig, currentContext(kubeconfig).cluster);
}

function asKubeconfig(text: string): Kubeconfig {
  try {
    const kubeconfig = readKubeconfig(text);
    if (kubeconfig.clusters.length === 0) throw new Error('it names no cluster');
    return kubeconfig;
  } catch (error) {
    throw new Error(`it is neither PEM nor a kubeconfig (${(error as Error).message})`, { cause: error });
  }
}
