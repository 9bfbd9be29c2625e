/** Faults of control planes: each ends with its code, the whole message, and a hint. */
import { describe, expect, test } from 'vitest';
import { type Fault, outcomeOf } from '../helpers/control-plane-faults.ts';
import { fullDisks, onDisk, secrets } from './control-plane-certificates.ts';
import { components } from './control-plane-components.ts';
import { configurations } from './control-plane-configurations.ts';
import { etcd } from './control-plane-etcd.ts';

const faults: Fault[] = [...secrets, ...onDisk, ...configurations, ...fullDisks, ...etcd, ...components];

describe('a control plane', () => {
  test.each(faults.map((fault) => [fault.title, fault] as const))('%s', async (_, fault) => {
    const { error, hint } = await outcomeOf(fault);
    expect(error).toBe(fault.error);
    expect(hint).not.toBe('');
  });
});
