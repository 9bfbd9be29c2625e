import { expect, test } from 'vitest';
import { recordingHost } from '../../../engine/host/recording.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';

const SIGNAL = new AbortController().signal;

test('a dry run removes directories as a machine does: only empty ones, or all that is in them', async () => {
  const dry = recordingHost(memoryHost({ files: { '/a/real': '', '/b/real': '', '/b/c/real': '' } }));
  const list = (path: string) => dry.read<'list'>({ kind: 'list', path }, SIGNAL);
  await dry.apply({ kind: 'remove', path: '/a' }, SIGNAL);
  expect(await list('/a')).toEqual(['real']);
  await dry.apply({ kind: 'remove', path: '/a/real' }, SIGNAL);
  await dry.apply({ kind: 'remove', path: '/a' }, SIGNAL);
  expect(await list('/a')).toBeUndefined();
  await dry.apply({ kind: 'remove-tree', path: '/b' }, SIGNAL);
  expect([await list('/b'), await list('/b/c')]).toEqual([undefined, undefined]);
  expect(await dry.read<'file'>({ kind: 'file', path: '/b/c/real' }, SIGNAL)).toBeUndefined();
  const content = Buffer.from('planned');
  await dry.apply({ kind: 'file', path: '/b/new', content, mode: 0o644, secret: false }, SIGNAL);
  expect(await list('/b')).toEqual(['new']);
});
