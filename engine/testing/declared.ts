/** Whether a change lies within declared effects: written once more, and differently from the engine's guard. */
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
      case 'unmount':
        return effect.kind === 'mounts';
      default:
        return (
          effect.kind === 'path' &&
          (templateMatches(effect.path, change.path, input) ||
            // Parents that are missing are made.
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

/** Piece by piece, without regular expressions. */
export function templateMatches(template: string, path: string, input: Record<string, unknown>): boolean {
  const wanted = filled(template, input).split('/');
  const there = path.split('/');
  return (
    wanted.length === there.length &&
    wanted.every((part, index) => {
      const name = there[index] ?? '';
      const [head = '', ...tail] = part.split('*');
      const end = tail.at(-1);
      return end === undefined
        ? part === name
        : name.startsWith(head) && name.endsWith(end) && name.length >= head.length + end.length;
    })
  );
}
