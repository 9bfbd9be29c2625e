import { expect, test } from 'vitest';
import { wrongKubeletField } from '../../../engine/node/index.ts';

test.each([
  [{ maxPods: '110' }, 'maxPods "110", which must be an integer, without quotes'],
  [{ failSwapOn: 'no' }, 'failSwapOn "no", which must be true or false, without quotes'],
  [{ clusterDNS: '10.96.0.10' }, 'clusterDNS "10.96.0.10", which must be a list'],
  [{ systemReserved: { cpu: 1 } }, 'systemReserved.cpu 1, which must be a text in quotes'],
  [
    { registerWithTaints: [{ key: 'a', value: true }] },
    'registerWithTaints[0].value true, which must be a text in quotes',
  ],
  [{ featureGates: { A: 'true' } }, 'featureGates.A "true", which must be true or false, without quotes'],
  [{ syncFrequency: 5 }, 'syncFrequency 5, which must be a text in quotes'],
])('a KubeletConfiguration with %j has a field of a wrong type', (document, problem) => {
  expect(wrongKubeletField(document)).toBe(problem);
});

test('a KubeletConfiguration may have null, integers beyond 2^53 and fields of later releases', () => {
  const podPidsLimit = { $integer: '9223372036854775807' };
  expect(wrongKubeletField({ podPidsLimit, clusterDNS: null, later: 1, featureGates: { A: true } })).toBeUndefined();
});
