export const input = {
  type: 'object',
  properties: {
    modules: {
      type: 'array',
      items: { type: 'string', pattern: '^\\w[\\w-]*$', 'x-form': "be a module's name" },
      default: ['overlay', 'br_netfilter'],
      description: 'Kernel modules to load',
    },
    sysctls: {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '^[^\\n]+$', 'x-form': 'be one line, in quotation marks' },
      default: {
        'net.bridge.bridge-nf-call-iptables': '1',
        'net.bridge.bridge-nf-call-ip6tables': '1',
        'net.ipv4.ip_forward': '1',
      },
      description: 'Kernel settings by name',
    },
    swap: { enum: ['off', 'keep'], default: 'off', description: 'Whether to turn swap off, now and at each boot' },
    containerd: {
      type: 'boolean',
      default: true,
      description: 'Whether to configure containerd, if it is installed',
    },
    systemdCgroup: { type: 'boolean', default: true, description: 'Value of SystemdCgroup for runc' },
    pauseImage: {
      type: 'string',
      pattern: '^[\\w./:@-]+$',
      'x-form': 'be the name of an image',
      description: 'Pause image of Pods (default: no change)',
    },
  },
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
