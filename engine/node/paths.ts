/** Well-known paths of a Kubernetes machine. Source: kubeadm's constants and its packaged kubelet unit. */
export const paths = {
  adminConf: '/etc/kubernetes/admin.conf',
  kubeletConf: '/etc/kubernetes/kubelet.conf',
  bootstrapKubeletConf: '/etc/kubernetes/bootstrap-kubelet.conf',
  controllerManagerConf: '/etc/kubernetes/controller-manager.conf',
  schedulerConf: '/etc/kubernetes/scheduler.conf',
  manifests: '/etc/kubernetes/manifests',
  /** The certificates of the cluster, unless the ClusterConfiguration names another directory. */
  pki: '/etc/kubernetes/pki',
  caCert: '/etc/kubernetes/pki/ca.crt',
  kubelet: '/var/lib/kubelet',
  kubeletConfig: '/var/lib/kubelet/config.yaml',
  /**
   * The initial configuration of kubelets up to 1.10, with --init-config-dir; later kubelets start with
   * `kubeletConfig`.
   */
  kubeletInitConfig: '/var/lib/kubelet/config/init/kubelet',
  /** Settings of this machine in the kubelet's configuration; `kubeletConfig` has them too. */
  kubeletInstanceConfig: '/var/lib/kubelet/instance-config.yaml',
  kubeadmFlags: '/var/lib/kubelet/kubeadm-flags.env',
  kubeletPki: '/var/lib/kubelet/pki',
  kubeletCurrentPem: '/var/lib/kubelet/pki/kubelet-client-current.pem',
  kubeletDropIn: '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
  /** It comes after the drop-ins of others. */
  kubeletLastDropIn: '/etc/systemd/system/kubelet.service.d/zz-joinery.conf',
  /** Socket of the Docker support that kubelets up to 1.23 have. */
  dockershim: '/var/run/dockershim.sock',
  etcdData: '/var/lib/etcd',
  cni: '/var/lib/cni',
} as const;
