import type { Files } from '../../sdk/ports.ts';
import { isSecret, type Secret } from '../../sdk/secret.ts';
import type { Attempt } from './attempt.ts';

export const filesPort = (attempt: Attempt): Files => ({
  read: (path) => attempt.read({ kind: 'file', path }),
  stat: (path) => attempt.read({ kind: 'stat', path }),
  list: (path) => attempt.read({ kind: 'list', path }),
  waitFor: async (path, done) => (await attempt.wait(path, { kind: 'file', path, done })) as Buffer | undefined,
  async write(path, content, mode, owner) {
    const bytes = bytesOf(content);
    const secret = isSecret(content) || attempt.permissions.hasSecret(bytes.toString('utf8'));
    await attempt.change({ kind: 'file', path, content: bytes, mode, secret, ...(owner && { owner }) });
  },
  directory: (path, mode) => attempt.change({ kind: 'directory', path, mode }),
  link: (path, target) => attempt.change({ kind: 'link', path, target }),
  remove: (path) => attempt.change({ kind: 'remove', path }),
  removeTree: (path) => attempt.change({ kind: 'remove-tree', path }),
});

function bytesOf(content: string | Buffer | Secret): Buffer {
  if (Buffer.isBuffer(content)) return content;
  return Buffer.from(isSecret(content) ? content.reveal() : content);
}
