/**
 * Whether effects declare a change. It does not share code with the engine's permissions, so that it can check them.
 */
import type { StepChange } from '../host/changes/index.ts';
import type { Effect } from '../sdk/index.ts';

export function isDeclared(effects: readonly Effect[], change: StepChange, input: Record<string, unknown>): boolean {
  return effects.some((effect) => {
    switch (change.kind) {
      case 'service':
        return (
          effect.kind === 'service' &&
          filled(effect.name, input) === change.name &&
          effect.actions.includes(change.action)
        );
      case 'command':
        return effect.kind === 'command' && change.command.split(' ')[0] === filled(effect.program, input);
      case 'api':
        return (
          effect.kind === 'api' &&
          effect.resource === change.resource &&
          effect.verbs.some((verb) => verb === change.verb)
        );
      case 'http':
        return effect.kind === 'http' && change.url.startsWith(filled(effect.url, input).split('*')[0] ?? '');
      case 'pod-sandbox':
        return effect.kind === 'runtime';
      case 'etcd-member':
        return effect.kind === 'etcd' && effect.access === 'change';
      case 'unmount':
        return effect.kind === 'mounts';
      default:
        return (
          effect.kind === 'path' &&
          (templateMatches(effect.path, change.path, input) ||
            // Missing parent directories are created.
            (change.kind === 'directory' && `${effect.path}`.startsWith(`${change.path}/`)) ||
            (change.kind === 'directory' && filled(effect.path, input).startsWith(`${change.path}/`)))
        );
    }
  });
}

const filled = (template: string, input: Record<string, unknown>): string =>
  template.replace(/\{([\w.]+)\}/g, (_, name: string) =>
    String(name.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], input)),
  );

export function templateMatches(template: string, path: string, input: Record<string, unknown>): boolean {
  const expected = filled(template, input).split('/');
  const actual = path.split('/');
  return (
    expected.length === actual.length &&
    expected.every((part, index) => {
      const name = actual[index] ?? '';
      const [head = '', ...tail] = part.split('*');
      const end = tail.at(-1);
      return end === undefined
        ? part === name
        : name.startsWith(head) && name.endsWith(end) && name.length >= head.length + end.length;
    })
  );
}
