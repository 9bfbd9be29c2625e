export const input = {
  type: 'object',
  properties: {
    modules: {
      type: 'array',
      items: { type: 'string', pattern: '^\\w[\\w-]*$', 'x-form': "be a module's name" },
      default: ['overlay', 'br_netfilter'],
      description: 'Kernel modules that are to be loaded',
    },
    sysctls: {
      type: 'object',
      additionalProperties: { type: 'string', pattern: '^[^\\n]+$', 'x-form': 'be one line, in quotation marks' },
      default: {
        'net.bridge.bridge-nf-call-iptables': '1',
        'net.bridge.bridge-nf-call-ip6tables': '1',
        'net.ipv4.ip_forward': '1',
      },
      description: 'Settings of the kernel, by name',
    },
    swap: { enum: ['off', 'keep'], default: 'off', description: 'Whether swap is turned off, now and for good' },
    containerd: {
      type: 'boolean',
      default: true,
      description: 'Whether containerd is configured, where it is installed',
    },
    systemdCgroup: { type: 'boolean', default: true, description: 'Have containerd leave cgroups to systemd' },
    pauseImage: {
      type: 'string',
      pattern: '^[\\w./:@-]+$',
      'x-form': 'be an image',
      description: 'Image of Pod sandboxes; left out: as it is',
    },
  },
  additionalProperties: false,
} as const;

export const output = { type: 'object' } as const;
