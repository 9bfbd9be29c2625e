/** Well-known paths of a Kubernetes machine. Source: kubeadm's constants and its packaged kubelet unit. */
export const paths = {
  adminConf: '/etc/kubernetes/admin.conf',
  kubeletConf: '/etc/kubernetes/kubelet.conf',
  bootstrapKubeletConf: '/etc/kubernetes/bootstrap-kubelet.conf',
  manifests: '/etc/kubernetes/manifests',
  caCert: '/etc/kubernetes/pki/ca.crt',
  kubelet: '/var/lib/kubelet',
  kubeletConfig: '/var/lib/kubelet/config.yaml',
  /** Where kubelets up to 1.10 begin from, with --init-config-dir; later ones begin from `kubeletConfig`. */
  kubeletInitConfig: '/var/lib/kubelet/config/init/kubelet',
  kubeadmFlags: '/var/lib/kubelet/kubeadm-flags.env',
  kubeletPki: '/var/lib/kubelet/pki',
  kubeletCurrentPem: '/var/lib/kubelet/pki/kubelet-client-current.pem',
  kubeletDropIn: '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
  cni: '/var/lib/cni',
  /** What Joinery itself keeps: a journal for each run. */
  state: '/var/lib/joinery',
  runs: '/var/lib/joinery/runs',
  /** tmpfs: what must survive a crash but not a reboot, and never a finished run. */
  runtime: '/run/joinery',
} as const;

/** The path in the URL of a container runtime's socket. A bare path stays as it is, as in kubeadm. */
export const socketPath = (socket: string): string => socket.replace(/^unix:\/\//, '');
