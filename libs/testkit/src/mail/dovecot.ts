import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { binaries } from '../binaries.ts';
import { type ManagedServer, startServer } from '../managed-server.ts';
import { freePort } from '../ports.ts';
import { unprivilegedUser } from '../service-user.ts';
import { tempFolder } from '../temp-folder.ts';

const PASSWORD = 'mailbox-password';

export interface ImapServer extends ManagedServer {
  /** Puts a mail into the inbox, as a mail server does. */
  deliver(raw: string): Promise<void>;
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(2_000, () => socket.destroy(new Error('no greeting')));
    socket.once('error', reject);
    socket.once('close', () => resolve(false));
    socket.once('data', (data: Buffer) => {
      resolve(data.toString('latin1').startsWith('* OK'));
      socket.destroy();
    });
  });
}

/** Debian's dovecot with one mailbox, run as the user of the tests, or as its own user under root. */
function config(folder: string, port: number, user: { name: string; login: string }): string {
  return `base_dir = ${folder}/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = ${user.name}
default_login_user = ${user.login}
default_internal_group = ${user.name}
mail_location = maildir:${folder}/mail
first_valid_uid = 0
passdb {
  driver = static
  args = password=${PASSWORD}
}
userdb {
  driver = static
  args = uid=${user.name} gid=${user.name} home=${folder}
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`;
}

export async function startDovecot(): Promise<ImapServer> {
  const port = await freePort();
  const folder = tempFolder('dovecot');
  const inbox = join(folder, 'mail', 'new');
  const owner = unprivilegedUser('dovecot');
  const name = owner === null ? (process.env['USER'] ?? 'root') : 'dovecot';
  const file = join(folder, 'dovecot.conf');
  const command = binaries.dovecot();
  const server = await startServer({
    name: 'dovecot',
    url: `imap://shop:${PASSWORD}@127.0.0.1:${port}/INBOX`,
    host: '127.0.0.1',
    port,
    folder,
    stopSignal: 'SIGTERM',
    readyTimeoutMs: 30_000,
    stopTimeoutMs: 10_000,
    child: () => ({
      name: 'dovecot',
      command,
      args: ['-F', '-c', file],
      env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/bin', HOME: folder, LC_ALL: 'C' },
      cwd: folder,
    }),
    prepare: async () => {
      for (const sub of ['run', 'mail', 'mail/new', 'mail/cur', 'mail/tmp'])
        await mkdir(join(folder, sub), { recursive: true });
      await writeFile(file, config(folder, port, { name, login: owner === null ? name : 'dovenull' }));
      await chmod(folder, 0o755);
      if (owner === null) return;
      for (const sub of ['mail', 'mail/new', 'mail/cur', 'mail/tmp'])
        await chown(join(folder, sub), owner.uid, owner.gid);
    },
    eraseData: () => rm(join(folder, 'mail'), { recursive: true, force: true }),
    ready: () => greets(port),
  });
  let count = 0;
  return Object.assign(server, {
    deliver: async (raw: string): Promise<void> => {
      count += 1;
      const letter = `${count}.${randomUUID()}.test`;
      // As in a Maildir: a file in new/ is complete, and may be removed at once.
      const written = join(folder, 'mail/tmp', letter);
      await writeFile(written, raw);
      if (owner !== null) await chown(written, owner.uid, owner.gid);
      await rename(written, join(inbox, letter));
    },
  });
}
