import { SMTPServer } from 'smtp-server';
import { freePort } from '../ports.ts';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

/**
 * The server's behaviour for the next mails: refuses a recipient, is busy, or accepts a mail and hangs up without
 * saying so.
 */
export type SmtpFault = 'unknown_mailbox' | 'busy' | 'hang_up';

export interface SmtpDouble {
  readonly url: string;
  /** Every mail whose last byte came, even if the sender got no answer. */
  readonly mails: readonly ReceivedMail[];
  /** For so many mails from now on. */
  fail(fault: SmtpFault, times: number): void;
  stop(): Promise<void>;
}

function refusal(code: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode: code });
}

/** A real SMTP server that keeps what it is given. */
export async function startSmtp(): Promise<SmtpDouble> {
  const port = await freePort();
  const mails: ReceivedMail[] = [];
  const faults: SmtpFault[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onRcptTo: (_address, _session, callback) => {
      const [fault] = faults;
      if (fault === 'unknown_mailbox' || fault === 'busy') faults.shift();
      if (fault === 'unknown_mailbox') callback(refusal(550, 'no such mailbox'));
      else if (fault === 'busy') callback(refusal(451, 'try again later'));
      else callback();
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
        });
        if (faults[0] === 'hang_up') {
          faults.shift();
          for (const connection of server.connections) connection.close();
          return;
        }
        callback();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    fail: (fault, times) => {
      for (let n = 0; n < times; n += 1) faults.push(fault);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
