/** Reads the files of a kubelet under kubeadm's unit, below the scratch root, with the same checks as a kubelet. */
import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { parse } from 'yaml';
import { readCertificates } from '../../../engine/pki/index.ts';
import { isRecord, type Json } from '../objects.ts';
import { type KubeletFlags, readFlags } from './kubelet-flags.ts';
import { type Caller, type KubeletIdentity, readBootstrap, readIdentity } from './kubelet-identity.ts';
import { machinePath } from './machine-path.ts';

export const KUBECONFIG = '/etc/kubernetes/kubelet.conf';
const BOOTSTRAP_KUBECONFIG = '/etc/kubernetes/bootstrap-kubelet.conf';
const CONFIG = '/var/lib/kubelet/config.yaml';
const FLAGS = '/var/lib/kubelet/kubeadm-flags.env';

export interface KubeletFiles {
  /** Of the kubelet that is installed on the machine. */
  version: string;
  nodeName: string;
  /** Its own identity, or the bootstrap credentials to request one. */
  identity: KubeletIdentity | { bootstrap: Caller };
  flags: KubeletFlags;
  healthz: { address: string; port: number };
  /** The directory of the manifests of static Pods; empty: the kubelet runs none. */
  staticPodPath: string;
}

/** Throws an Error with the kubelet's message. */
export async function readKubeletFiles(root: string): Promise<KubeletFiles> {
  const read = (path: string): Promise<string> => readMachineFile(root, path);
  const config = readConfig(await read(CONFIG));
  const flags = readFlags((await isThere(root, FLAGS)) ? await read(FLAGS) : '');
  const identity = await identityOf(root, read);
  await checkClientCa(config, read);
  const endpoint = flags.containerRuntimeEndpoint || config.containerRuntimeEndpoint;
  await checkRuntime(root, typeof endpoint === 'string' ? endpoint : '');
  const nodeName = await nodeNameOf(root, flags);
  if ('commonName' in identity && identity.commonName !== `system:node:${nodeName}`)
    throw new Error(`the client certificate is for ${identity.commonName}, but this node is ${nodeName}`);
  const version = /v\d[\w.-]*/.exec(await read('/usr/bin/kubelet'))?.[0] ?? '';
  const staticPodPath = typeof config.staticPodPath === 'string' ? config.staticPodPath : '';
  return { version, nodeName, identity, flags, healthz: healthzOf(config), staticPodPath };
}

/** The bootstrap kubeconfig counts only if the other one is missing or unusable. */
async function identityOf(
  root: string,
  read: (path: string) => Promise<string>,
): Promise<KubeletIdentity | { bootstrap: Caller }> {
  const canBootstrap = await isThere(root, BOOTSTRAP_KUBECONFIG);
  if (!canBootstrap && !(await isThere(root, KUBECONFIG)))
    throw new Error(`unable to load bootstrap kubeconfig: stat ${BOOTSTRAP_KUBECONFIG}: no such file or directory`);
  try {
    return await readIdentity(await read(KUBECONFIG), new Date(), read);
  } catch (error) {
    if (!canBootstrap) throw error;
    return { bootstrap: await readBootstrap(await read(BOOTSTRAP_KUBECONFIG), read) };
  }
}

function readConfig(text: string): Json {
  const config: unknown = parse(text);
  if (
    !isRecord(config) ||
    config.apiVersion !== 'kubelet.config.k8s.io/v1beta1' ||
    config.kind !== 'KubeletConfiguration'
  )
    throw new Error(
      `failed to load Kubelet config file ${CONFIG}, error failed to decode: not a KubeletConfiguration of ` +
        'kubelet.config.k8s.io/v1beta1',
    );
  return config;
}

async function checkClientCa({ authentication }: Json, read: (path: string) => Promise<string>): Promise<void> {
  const x509 = isRecord(authentication) && isRecord(authentication.x509) ? authentication.x509 : {};
  if (typeof x509.clientCAFile !== 'string' || x509.clientCAFile === '') return;
  const text = await read(x509.clientCAFile);
  if (readCertificates(text).length === 0)
    throw new Error(`unable to load client CA file ${x509.clientCAFile}: data does not contain any valid certificates`);
}

async function checkRuntime(root: string, endpoint: string): Promise<void> {
  if (endpoint === '') throw new Error('the container runtime endpoint address was not specified or empty');
  const socket = endpoint.replace(/^unix:\/\//, '');
  if (!(await isThere(root, socket)))
    throw new Error(
      `failed to create kubelet: get remote runtime typed version failed: dial unix ${socket}: connect: no ` +
        'such file or directory',
    );
}

async function nodeNameOf(root: string, { hostnameOverride }: KubeletFlags): Promise<string> {
  if (hostnameOverride !== '') return hostnameOverride.trim().toLowerCase();
  const name = (await isThere(root, '/etc/hostname')) ? await readMachineFile(root, '/etc/hostname') : hostname();
  return name.trim().toLowerCase();
}

const healthzOf = ({ healthzBindAddress, healthzPort }: Json): KubeletFiles['healthz'] => ({
  address: typeof healthzBindAddress === 'string' ? healthzBindAddress : '127.0.0.1',
  port: typeof healthzPort === 'number' ? healthzPort : 10248,
});

async function readMachineFile(root: string, path: string): Promise<string> {
  try {
    return await readFile(await machinePath(root, path), 'utf8');
  } catch {
    throw new Error(`open ${path}: no such file or directory`);
  }
}

async function isThere(root: string, path: string): Promise<boolean> {
  return (await stat(await machinePath(root, path)).catch(() => undefined)) !== undefined;
}
