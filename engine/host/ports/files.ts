import type { Files } from '../../sdk/ports.ts';
import { isSecret, type Secret } from '../../sdk/secret.ts';
import type { GuardedHost } from './guarded-host.ts';

export const filesPort = (guarded: GuardedHost): Files => ({
  read: (path) => guarded.read({ kind: 'file', path }),
  stat: (path) => guarded.read({ kind: 'stat', path }),
  list: (path) => guarded.read({ kind: 'list', path }),
  waitFor: async (path, done) => (await guarded.wait(path, { kind: 'file', path, done })) as Buffer | undefined,
  async write(path, content, mode, owner) {
    const bytes = bytesOf(content);
    const secret = isSecret(content) || guarded.permissions.hasSecret(bytes.toString('utf8'));
    await guarded.change({ kind: 'file', path, content: bytes, mode, secret, ...(owner && { owner }) });
  },
  directory: (path, mode) => guarded.change({ kind: 'directory', path, mode }),
  link: (path, target) => guarded.change({ kind: 'link', path, target }),
  remove: (path) => guarded.change({ kind: 'remove', path }),
  removeTree: (path) => guarded.change({ kind: 'remove-tree', path }),
});

function bytesOf(content: string | Buffer | Secret): Buffer {
  if (Buffer.isBuffer(content)) return content;
  return Buffer.from(isSecret(content) ? content.reveal() : content);
}
