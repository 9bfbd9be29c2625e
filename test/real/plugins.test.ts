/** The plugins that ship with Joinery, on a real cluster. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();
const SETTINGS = ['net/bridge/bridge-nf-call-iptables', 'net/bridge/bridge-nf-call-ip6tables', 'net/ipv4/ip_forward'];
/** Half of a kubelet's delay before its second status. */
const SOON_MS = 5_000;
/** Number of attempts until one Node is Ready that soon. */
const JOINS_MAX = 3;
const TOLD = 'KUBELET_EXTRA_ARGS="--node-labels=rack=7 --register-with-taints=gpu=a:NoSchedule"\n';

/** Runs before the rig's stand-in: containerd is also a service, and there are no modules to load. */
const programs = (machine: Machine, folder: string): Record<string, string> => ({
  modprobe: `echo "modprobe $*" >> ${folder}/calls`,
  systemctl: `
case "$1 $2" in
  "show containerd") printf 'LoadState=loaded\\nActiveState=active\\nUnitFileState=enabled\\n' ;;
  "restart containerd")
    echo "restart containerd" >> ${folder}/calls
    pid=$(cat ${folder}/containerd.pid)
    kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
    setsid containerd -c /etc/containerd/config.toml >> ${folder}/containerd.log 2>&1 </dev/null & echo $! > ${folder}/containerd.pid
    for _ in $(seq 100); do ctr -a ${machine.socket} version >/dev/null 2>&1 && exit 0; sleep 0.1; done
    exit 1 ;;
  *) PATH=\${PATH#*:} exec systemctl "$@" ;;
esac`,
});

/** Plugins whose steps are in the pipeline. */
type Plugins = ('host-prep' | 'node-register' | 'serving-cert' | 'node-metadata')[];

/** The default pipeline with the steps of these plugins, at the place that their READMEs give. */
function pipelineWith(folder: string, plugins: Plugins): string {
  const added = (id: Plugins[number], inputs = ''): string =>
    plugins.includes(id) ? `  - { id: ${id}, uses: ${id}${inputs} }\n` : '';
  const shipped = readFileSync(join(projectRoot, 'pipelines/join-worker.yaml'), 'utf8');
  const needs = plugins.includes('host-prep') ? '    needs: [host-prep]\n' : '';
  const start = '  - id: kubelet-start\n';
  const addresses = ', timeout: 2m, with: { addresses: ["127.0.0.1"] }';
  const labels = ', with: { labels: { example.com/rack: "7" }, annotations: { example.com/owner: "platform" } }';
  const text = shipped
    .replace('name: join-worker', 'name: with-plugins')
    .replace('\ninputs:', `\nplugins: [${plugins.join(', ')}]\ninputs:`)
    .replace('\nsteps:\n', `\nsteps:\n${added('host-prep')}`)
    .replace('  - id: preflight\n', `  - id: preflight\n${needs}`)
    .replace(start, `${added('serving-cert', addresses)}${added('node-register')}${start}`);
  const file = join(folder, `${['with', ...plugins].join('-')}.yaml`);
  writeFileSync(file, `${text.trimEnd()}\n${added('node-metadata', labels)}`);
  return file;
}

interface Step {
  id: string;
  durationMs: number;
  changes: { kind: string }[];
}

describe.skipIf(reason)(`plugins on a real machine${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  let folder: string;
  let before: unknown;

  const inside = (...argv: string[]) =>
    machine.run(['sh', '-c', `PATH=${folder}/bin:$PATH exec "$@"`, 'sh', ...argv], { timeoutMs: 180_000 });
  const must = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await inside(...argv);
    expect(code, `${argv.join(' ').replaceAll(cluster.token, '***')}: ${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  const shell = (script: string): Promise<string> => must('sh', '-c', script);
  /** What host-prep or a join may change. */
  const state = async () => ({
    files: walk(machine.path('/'))
      .filter(({ path }) => !/^(var\/lib\/kubelet\/\.service|var\/lib\/joinery)(\/|$)/.test(path))
      .map(({ kind, mode, path, content }) => `${kind} ${mode} ${path} ${content.toString('base64')}`),
    etc: await shell('stat -c "%n %a %u:%g" /etc/fstab /etc/containerd/*; cat /etc/fstab /etc/containerd/config.toml'),
    lasting: await shell('ls /etc/sysctl.d /etc/modules-load.d'),
    settings: await shell(`cat ${SETTINGS.map((name) => `/proc/sys/${name}`).join(' ')}`),
    swap: (await shell('cat /proc/swaps')).replace(/\t\d+\t+-?\d+$/gm, ''),
  });
  /** Joins until the Node is Ready; how long that took, and how long after the kubelet was started. */
  const joined = async (...plugins: Plugins) => {
    const flags = ['--token', cluster.token, '--discovery-token-ca-cert-hash', cluster.caHash];
    const rig = ['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all'];
    const pipeline = pipelineWith(folder, plugins);
    const argv = [command, 'run', '--pipeline', pipeline, cluster.server, ...flags, ...rig];
    const result = JSON.parse(await must(...argv, '--wait', 'ready', '--output', 'json'));
    const steps: Step[] = result.steps;
    const after = steps.slice(steps.findIndex(({ id }) => id === 'kubelet-start'));
    const kubeletMs = after.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const named = plugins.length === 0 ? 'no plugin' : plugins.join(', ');
    console.log(`${named}: Ready after ${result.durationMs} ms, ${kubeletMs} ms after the kubelet's start`);
    return { kubeletMs, steps };
  };
  const node = async () => JSON.parse(await cluster.kubectl(['get', 'node', 'w7', '-o', 'json']));

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w7');
    folder = join(machine.path('/'), '../../plugins');
    for (const name of ['bin', 'upper', 'work']) mkdirSync(join(folder, name), { recursive: true });
    for (const [name, body] of Object.entries(programs(machine, folder))) {
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(folder, 'bin', name), 0o755);
    }
    writeFileSync(join(folder, 'calls'), '');
    writeFileSync(join(folder, 'containerd.pid'), readFileSync(join(machine.socket, '../containerd.pid')));
    // A private /etc with the rig's parts mounted in it again.
    await shell(`mount -t overlay overlay -o lowerdir=/etc,upperdir=${folder}/upper,workdir=${folder}/work /etc`);
    for (const part of ['kubernetes', 'systemd/system', 'default', 'joinery'])
      await shell(`mount --bind ${machine.path(`/etc/${part}`)} /etc/${part}`);
    await shell(
      `mkdir -p /etc/containerd && cp ${machine.socket.replace('containerd.sock', 'config.toml')} /etc/containerd/`,
    );
    await shell(
      `truncate -s 0 ${folder}/swap && head -c 16777216 /dev/zero > ${folder}/swap && chmod 600 ${folder}/swap`,
    );
    await shell(`mkswap ${folder}/swap && swapon -p 5 ${folder}/swap`);
    writeFileSync(join(folder, 'fstab'), `UUID=1 / ext4 defaults 0 1\n${folder}/swap none swap pri=5 0 0\n`);
    await shell(`cp ${folder}/fstab /etc/fstab; echo 0 > /proc/sys/net/ipv4/ip_forward`);
    before = await state();
  });
  afterAll(async () => {
    if (folder !== undefined) {
      await inside('swapoff', join(folder, 'swap'));
      // `cleanUp` stops the current containerd.
      writeFileSync(join(machine.socket, '../containerd.pid'), readFileSync(join(folder, 'containerd.pid')));
    }
    await cleanUp();
  });
  afterEach(async () => {
    await inside(command, 'undo', '--yes');
    await cluster.kubectl(['delete', 'nodes', '--all']);
    rmSync(machine.path('/etc/default/kubelet'), { force: true });
  });

  test("a Node from node-register can be Ready within seconds, with the kubelet's labels and taints", async () => {
    writeFileSync(machine.path('/etc/default/kubelet'), TOLD);
    /**
     * Which of its first two statuses, ten seconds apart, says Ready is a race within the kubelet: with the plugin and
     * without.
     */
    const measured = async (...plugins: Plugins) => {
      const timesMs: number[] = [];
      let last: Awaited<ReturnType<typeof node>>;
      for (let count = 0; count < JOINS_MAX && !timesMs.some((ms) => ms < SOON_MS); count++) {
        timesMs.push((await joined(...plugins)).kubeletMs);
        last = await node();
        await must(command, 'undo', '--yes');
        await cluster.kubectl(['delete', 'nodes', '--all']);
      }
      console.log(
        `${plugins.join() || 'no plugin'}: ${timesMs.sort((a, b) => a - b).join(', ')} ms from the kubelet's start to Ready`,
      );
      return { timesMs, node: last };
    };
    const { node: registered } = await measured();
    const { node: created, timesMs } = await measured('node-register');
    expect(Math.min(...timesMs)).toBeLessThan(SOON_MS);
    for (const { metadata, spec } of [registered, created]) {
      expect(metadata.labels).toMatchObject({ rack: '7', 'kubernetes.io/hostname': 'w7', 'kubernetes.io/os': 'linux' });
      expect(spec.taints).toContainEqual({ key: 'gpu', value: 'a', effect: 'NoSchedule' });
    }
    const { annotations: wanted } = registered.metadata;
    expect(Object.keys(created.metadata.annotations).sort()).toEqual(Object.keys(wanted).sort());
    expect(created.metadata.labels).toEqual(registered.metadata.labels);
    expect(Object.keys(created.status.capacity).sort()).toEqual(Object.keys(registered.status.capacity).sort());
  });

  test('one run prepares and joins a machine, and an undo restores its state', async () => {
    expect(await state()).toEqual(before);
    const { steps } = await joined('host-prep', 'node-register');
    expect(steps.find(({ id }) => id === 'host-prep')?.changes.length).toBeGreaterThan(4);
    expect(await shell(`cat ${SETTINGS.map((name) => `/proc/sys/${name}`).join(' ')}`)).toBe('1\n1\n1\n');
    expect((await shell('cat /proc/swaps')).trim().split('\n')).toHaveLength(1);
    expect(await shell('cat /etc/fstab')).toContain(`\n# joinery: ${folder}/swap none swap`);
    expect(await shell('cat /etc/containerd/config.toml')).toContain('SystemdCgroup = true');
    expect(await shell('containerd -c /etc/containerd/config.toml config dump')).toContain('SystemdCgroup = true');
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toContain('restart containerd');

    const again = await joined('host-prep', 'node-register');
    expect(again.steps.flatMap(({ changes }) => changes)).toEqual([]);
    await must(command, 'undo', '--yes');
    expect(await state()).toEqual(before);
  });

  test("serving-cert gets a certificate from the cluster's CA, and node-metadata labels the Node", async () => {
    const configMap = ['-n', 'kube-system', 'configmap', 'kubelet-config-1.20'];
    const yaml = await cluster.kubectl(['get', ...configMap, '-o', 'json']);
    const changed = JSON.parse(yaml);
    changed.data.kubelet = `${changed.data.kubelet.trimEnd()}\nserverTLSBootstrap: true\n`;
    await cluster.kubectl(['replace', '-f', '-'], JSON.stringify(changed));
    const joining = joined('serving-cert', 'node-register', 'node-metadata');
    const isServing = ({ spec, status }: { spec: { signerName: string }; status: { conditions?: object[] } }) =>
      spec.signerName === 'kubernetes.io/kubelet-serving' && status.conditions === undefined;
    const pending = async () => JSON.parse(await cluster.kubectl(['get', 'csr', '-o', 'json'])).items.filter(isServing);
    for (let tries = 0; (await pending()).length === 0 && tries < 100; tries++) await sleep(200);
    const asked = await pending();
    expect(asked).toHaveLength(1);
    await cluster.kubectl(['certificate', 'approve', asked[0].metadata.name]);
    await joining;
    const shown = await shell(
      'openssl s_client -connect 127.0.0.1:10250 </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer -ext subjectAltName',
    );
    expect(shown).toContain('CN = system:node:w7');
    expect(shown).toContain('CN = kubernetes');
    expect(shown).toContain('DNS:w7, IP Address:127.0.0.1');
    expect((await node()).metadata).toMatchObject({
      labels: { 'example.com/rack': '7' },
      annotations: { 'example.com/owner': 'platform' },
    });
    await must(command, 'undo', '--yes');
    expect((await node()).metadata.labels['example.com/rack']).toBeUndefined();
    expect(await state()).toEqual(before);
  });
});
