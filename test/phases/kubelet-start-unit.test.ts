/** Units as `systemctl cat` prints them: what counts is what systemd would run. */
import { describe, expect, test } from 'vitest';
import { paths } from '../../engine/node/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { runPhase } from '../../engine/testing/run-phase.ts';
import kubeletStart from '../../phases/kubelet-start/index.ts';

const UNIT = '# /lib/systemd/system/kubelet.service\n[Unit]\nExecStart=no\n[Service]\nExecStart=/usr/bin/kubelet\n';
const D = '/etc/systemd/system/kubelet.service.d';
const LAST = `${D}/zz-joinery.conf`;
const dropIn = (name: string, lines: string) => `\n# ${D}/${name}\n[Service]\n${lines}`;
const FILES =
  '--kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS --node-ip=::1';
const FLAGS = 'EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n';
/** The drop-in of kubeadm's package. */
const STOCK =
  'Environment="KUBELET_KUBECONFIG_ARGS=--kubeconfig=/etc/kubernetes/kubelet.conf"\n' +
  'Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"\n' +
  `${FLAGS}EnvironmentFile=-/etc/default/kubelet\nExecStart=\nExecStart=/usr/bin/kubelet ` +
  '$KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n';
const good = `${FLAGS}ExecStart=\nExecStart=/usr/bin/kubelet ${FILES}\n`;

const started = (unit: string, files: Record<string, string> = {}) =>
  runPhase(
    kubeletStart,
    {},
    memoryHost({
      directories: [D],
      services: { kubelet: { active: false, unit } },
      files,
      wait: async () => undefined,
    }),
  );
const written = async (unit: string, files?: Record<string, string>) => {
  const { changes, error } = await started(unit, files);
  expect(error).toBeUndefined();
  return changes.flatMap((change) => (change.kind === 'file' ? [`${change.action} ${change.path}`] : []));
};

describe('a unit of the kubelet as systemd reads it', () => {
  test.each([
    ['spaces between arguments and values', good.replaceAll(/(--\w+)=/g, '$1 ')],
    ['spaces around the equals signs', good.replaceAll(/^(\w+)=/gm, '$1 = ')],
    ['continued lines with a comment between them', good.replace(' --config', ' \\\n# why\n; and why\n  --config')],
    ['a comment that begins with a path', good.replace('ExecStart=', '# /etc/default/kubelet has more\nExecStart=')],
    ['carriage returns', good.replaceAll('\n', '\r\n')],
    [
      'quoted arguments',
      good.replace('--config=/var/lib/kubelet/config.yaml', '"--config=/var/lib/kubelet/config.yaml"'),
    ],
    ['a shell around the command', good.replace(/=\/usr.*/, `=/bin/sh -c 'exec /usr/bin/kubelet ${FILES}'`)],
    [
      'variables of its own',
      `Environment="A=--kubeconfig=/etc/kubernetes/kubelet.conf" B=/var/lib/kubelet/config.yaml\n${FLAGS}` +
        'ExecStart=\nExecStart=/usr/bin/kubelet $A --config $B $KUBELET_KUBEADM_ARGS\n',
    ],
  ])('a unit of the kubelet passes the files of the join with %s', async (_, lines) => {
    expect(await written(UNIT + dropIn('10-kubeadm.conf', lines))).toEqual([]);
  });

  test('a unit of the kubelet passes the files of the join with variables from a file', async () => {
    const lines = `EnvironmentFile=/etc/default/kubelet\n${FLAGS}ExecStart=\nExecStart=kubelet $A $KUBELET_KUBEADM_ARGS\n`;
    const files = {
      '/etc/default/kubelet':
        '# A=x\nA="--kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml"\n',
    };
    expect(await written(UNIT + dropIn('10-kubeadm.conf', lines), files)).toEqual([]);
    expect(await written(UNIT + dropIn('10-kubeadm.conf', lines))).toEqual([`create ${LAST}`]);
  });

  test.each([
    ['the files only in a comment', `# ${FILES}\n; ${FILES}\n`],
    ['the files in another section', `[Unit]\n${good}`],
    ['the files in a command that a later line resets', `${good}ExecStart=\nExecStart=/usr/bin/kubelet\n`],
    ['the flags in a list that a later line resets', `${good}EnvironmentFile=\n`],
    ['another file by a later argument', good.replace('$KUBELET', '--config=/etc/other.yaml $KUBELET')],
  ])('a unit of the kubelet does not pass the files of the join with %s', async (_, lines) => {
    const files = { [paths.kubeletDropIn]: 'the owner' };
    expect(await written(UNIT + dropIn('10-kubeadm.conf', lines), files)).toEqual([`create ${LAST}`]);
  });

  test('the command of a later drop-in wins, is named, and is kept with the files of the join', async () => {
    const later = 'ExecStart=\nExecStart=/opt/kubelet --config=/etc/etcd.conf --v 3\n';
    const unit = UNIT + dropIn('10-kubeadm.conf', good) + dropIn('20-etcd.conf', later);
    const { changes, result } = await started(unit, { [paths.kubeletDropIn]: good });
    expect(changes.find(({ kind }) => kind === 'file')).toMatchObject({
      path: LAST,
      content: expect.stringMatching(
        /^ExecStart=\nExecStart=\/opt\/kubelet --config=\/etc\/etcd.conf --v 3 \$KUBELET_KUBECONFIG_ARGS \$KUBELET_CONFIG_ARGS /m,
      ),
    });
    expect(result.steps[0]?.notes[0]?.text).toContain(`because ${D}/20-etcd.conf sets a command without --kubeconfig=`);
  });

  test.each([
    ['KUBELET_EXTRA_ARGS of a drop-in', 'Environment=KUBELET_EXTRA_ARGS=--config=/etc/other.yaml\n', {}],
    ['KUBELET_EXTRA_ARGS of a file', '', { '/etc/default/kubelet': 'KUBELET_EXTRA_ARGS=--config=/etc/other.yaml\n' }],
  ])('the files of the join win over %s, whose other value is named', async (_, lines, files) => {
    const { changes, result } = await started(UNIT + dropIn('10-kubeadm.conf', lines + STOCK), files);
    expect(changes.find(({ kind }) => kind === 'file')).toMatchObject({
      path: LAST,
      content: expect.stringMatching(/ \$KUBELET_EXTRA_ARGS --config=\/var\/lib\/kubelet\/config.yaml\n$/),
    });
    expect(result.steps[0]?.notes[0]?.text).toContain('config.yaml (it has /etc/other.yaml)');
  });

  test('a variable in braces is one word for systemd, so that two arguments in it need a drop-in', async () => {
    const environment =
      'Environment="A=--kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml"\n';
    const unit = (word: string) =>
      UNIT +
      dropIn('10-kubeadm.conf', `${environment}${FLAGS}ExecStart=\nExecStart=kubelet ${word} $KUBELET_KUBEADM_ARGS\n`);
    expect(await written(unit('$A'))).toEqual([]);
    expect(await written(unit('$A'.replace('A', '{A}')))).toEqual([`create ${LAST}`]);
  });

  test('a drop-in that adds a second command without a reset is followed by one that resets both', async () => {
    const { changes, result } = await started(UNIT + dropIn('10-kubeadm.conf', good.replace('ExecStart=\n', '')));
    expect(changes.find(({ kind }) => kind === 'file')).toMatchObject({
      path: LAST,
      content: expect.stringContaining(`\nExecStart=\nExecStart=/usr/bin/kubelet ${FILES}`),
    });
    expect(result.steps[0]?.notes[0]?.text).toContain('10-kubeadm.conf sets 2 commands, and systemd accepts one');
  });

  test('a unit without drop-ins gets the drop-in of kubeadm; if that exists already, another one', async () => {
    expect(await written(UNIT)).toEqual([`create ${paths.kubeletDropIn}`]);
    expect(await written(UNIT, { [paths.kubeletDropIn]: 'the owner' })).toEqual([`create ${LAST}`]);
  });
});
