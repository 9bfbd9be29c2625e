/** Finds the CA certificates in a file: a PEM bundle, or a kubeconfig that contains one. */

import {
  clusterNamed,
  currentContext,
  type Kubeconfig,
  type KubeconfigCluster,
  readKubeconfig,
} from '../node/kubeconfig.ts';
import { type Certificate, readCertificates } from '../pki/index.ts';

/** In the order of the file; at least one. Throws an Error that says what is wrong. */
export function caCertificates(text: string): Certificate[] {
  const isPem = text.includes('-----BEGIN ');
  const certificates = certificatesOf(isPem ? text : caOfKubeconfig(text));
  if (certificates.length === 0) throw new Error('it holds no certificate');
  return certificates;
}

function certificatesOf(pem: string): Certificate[] {
  try {
    return readCertificates(pem);
  } catch (error) {
    throw new Error(`a certificate in it is damaged (${(error as Error).message})`, { cause: error });
  }
}

function caOfKubeconfig(text: string): string {
  const { ca, caFile } = clusterOf(text);
  if (ca === '' && caFile !== undefined) throw new Error(`its CA is in another file, ${caFile}`);
  return ca;
}

/** The cluster of the current context; without a current context, as in cluster-info, the only cluster. */
function clusterOf(text: string): KubeconfigCluster {
  const kubeconfig = asKubeconfig(text);
  const [only, ...others] = kubeconfig.clusters;
  if (kubeconfig.current === '' && only !== undefined && others.length === 0) return only;
  return clusterNamed(kubeconfig, currentContext(kubeconfig).cluster);
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
