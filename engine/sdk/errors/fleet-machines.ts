/** A machine of a fleet cannot be reached, or does not join. */
import { type ErrorText, EXIT } from './join-error.ts';

/** What ssh connects to. */
export interface SshAddress {
  address?: string;
  user?: string | undefined;
  port?: number | undefined;
}

/** The command that connects to the machine by hand. */
const sshCommand = ({ address, user, port }: SshAddress): string =>
  ['ssh', ...(port === undefined ? [] : ['-p', port]), `${user === undefined ? '' : `${user}@`}${address}`].join(' ');

/** As `ssh-keygen` looks for it in known_hosts. */
const knownName = ({ address, port }: SshAddress): string =>
  port === undefined || port === 22 ? `${address}` : `'[${address}]:${port}'`;

export const fleetMachines = {
  E_FLEET_AUTH: (d: { host: string; what: string } & SshAddress) => ({
    message: `${d.host} does not let this user log in: ${d.what}`,
    hint:
      `Add the key to your agent (ssh-add), or name it in the fleet (identityFile). To test it: ` +
      `${sshCommand(d)} true`,
    exitCode: EXIT.machine,
  }),
  E_FLEET_COPY: (d: { host: string; path: string; what: string }) => ({
    message: `cannot copy a file to ${d.path} on ${d.host}: ${d.what}`,
    hint: `Check on ${d.host} that root can write there, and that the file system has space: df -h /opt`,
    exitCode: EXIT.machine,
  }),
  E_FLEET_CSR: (d: { host: string; csr: string; what: string }) => ({
    message: `the certificate request ${d.csr} is not approved for ${d.host}: ${d.what}`,
    hint:
      `Find out who sent it: kubectl get csr ${d.csr} -o yaml. If the token of ${d.host} may be stolen, ` +
      'try the machine again: it then gets another token.',
    exitCode: EXIT.trust,
  }),
  E_FLEET_EXECUTABLE: (d: { architecture: string; what: string }) => ({
    message: `Joinery has no executable for machines with the architecture ${d.architecture}: ${d.what}`,
    hint: 'Name one: --executable FILE. Each release has one for x64 and one for arm64.',
    exitCode: EXIT.usage,
  }),
  E_FLEET_HOST_KEY: (
    d: { host: string; fingerprint: string | undefined; state: 'unknown' | 'changed' } & SshAddress & {
        address: string;
      },
  ) => ({
    message:
      d.state === 'changed'
        ? `the host key of ${d.host} (${d.address}) is not the one in known_hosts; ` +
          `it is now ${d.fingerprint ?? 'unknown'}`
        : `the host key of ${d.host} (${d.address}) is not in known_hosts: ${d.fingerprint ?? 'ssh did not print it'}`,
    hint:
      'Compare it at the console of the machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. If they are ' +
      'equal, ' +
      (d.state === 'changed' ? `first delete the old one: ssh-keygen -R ${knownName(d)}, and then ` : '') +
      `accept it: ${sshCommand(d)}`,
    exitCode: EXIT.trust,
  }),
  E_FLEET_MACHINE: (d: { host: string; command: string; what: string }) => ({
    message: `${d.host}: the output of Joinery's command ${d.command} is not usable: ${d.what}`,
    hint: `Run it on ${d.host} to see all that it prints.`,
    exitCode: EXIT.machine,
  }),
  E_FLEET_NODE: (d: { host: string; what: string }) => ({
    message: `the cluster does not have ${d.host} as a Node: ${d.what}`,
    hint: `On ${d.host}, find out why: /opt/joinery/join doctor`,
    exitCode: EXIT.cluster,
    transient: true,
  }),
  E_FLEET_OTHER_CLUSTER: (d: { host: string; node: string; server: string }) => ({
    message: `${d.host} has already joined another cluster, that of ${d.server}, as the Node ${d.node}`,
    hint: `If ${d.host} may leave that cluster, run this there, and then try again: /opt/joinery/join reset`,
    exitCode: EXIT.machine,
  }),
  E_FLEET_SUDO: (d: { host: string; what: string }) => ({
    message: `cannot run commands as root on ${d.host}: ${d.what}`,
    hint:
      'Log in as root, or set sudo: true for the machine and let the user run every command without a password: ' +
      "echo 'USER ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/joinery",
    exitCode: EXIT.machine,
  }),
  E_FLEET_TOKEN: (d: { id: string; what: string }) => ({
    message: `cannot use the bootstrap token ${d.id}: ${d.what}`,
    hint: 'Try the machine again: it then gets another token. To list the tokens: join token list',
    exitCode: EXIT.cluster,
  }),
  E_FLEET_UNREACHABLE: (d: { host: string; what: string } & SshAddress) => ({
    message: `${d.host} cannot be reached: ${d.what}`,
    hint:
      d.address === undefined
        ? 'Check the transport of the machine in the fleet document.'
        : `Check the address, the network and sshd of the machine: ${sshCommand(d)} true`,
    exitCode: EXIT.machine,
    transient: true,
  }),
} satisfies Record<`E_${string}`, (facts: never) => ErrorText>;
