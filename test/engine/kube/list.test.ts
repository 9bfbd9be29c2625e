import { describe, expect, test } from 'vitest';
import { apiCalls, Secret } from '../../../engine/sdk/index.ts';
import { memoryHost } from '../../../engine/testing/memory-host.ts';
import { FakeCluster } from '../../helpers/cluster.ts';
import { joinErrorOf } from '../../helpers/errors.ts';
import { portsOn } from '../../helpers/machine.ts';

const PODS = { apiVersion: 'v1', resource: 'pods', namespace: 'kube-system' };
const identity = { server: 'https://c:6443', ca: 'CA', token: new Secret('t') };

function listing(status: number, body: object, effects = [apiCalls(['list'], 'pods', 'finds etcd')]) {
  const cluster = new FakeCluster();
  const host = memoryHost({ send: cluster.send });
  cluster.answers.set('GET /api/v1/namespaces/kube-system/pods', cluster.answer(status, body));
  const { ports } = portsOn(host, effects);
  const list = () => ports.kube.as(identity).list(PODS, { component: 'etcd', tier: 'control-plane' });
  return { list, sent: host.sent };
}

describe('a list of objects', () => {
  test('asks for those that have all labels, and changes nothing', async () => {
    const pod = { metadata: { name: 'etcd-cp1' } };
    const { list, sent } = listing(200, { items: [pod] });
    expect(await list()).toEqual([pod]);
    expect(sent).toMatchObject([{ method: 'GET', query: { labelSelector: 'component=etcd,tier=control-plane' } }]);
  });

  test('needs an effect that declares it', async () => {
    const { list, sent } = listing(200, { items: [] }, [apiCalls(['get'], 'pods', 'one Pod')]);
    expect(await joinErrorOf(list)).toMatchObject({ code: 'E_EFFECT_UNDECLARED' });
    expect(sent).toEqual([]);
  });

  test.each([
    ['that is refused', 403, { message: 'no' }, 'E_API_FORBIDDEN'],
    ['that is another object', 200, { metadata: {} }, 'E_API_ANSWER'],
    ['with something else in it', 200, { items: ['text'] }, 'E_API_ANSWER'],
  ])('an answer %s is an error', async (_, status, body, code) => {
    expect(await joinErrorOf(listing(status, body).list)).toMatchObject({ code });
  });
});
