import { type Attachment, ChatClientError } from '@chat-realtime/client/staff';
import { useRef, useState } from 'preact/hooks';
import { wholeAddress } from '../../state/chat-address.ts';
import { useDesk } from '../context.ts';

export interface FileOfMessage {
  readonly attachment: Attachment;
  /** Null while the message is not stored. */
  readonly messageId: number | null;
  readonly sessionId: number;
}
export interface FileInUse {
  readonly url: string | undefined;
  readonly trouble: 'failed' | 'gone' | null;
  /** Requests an address that is valid now. */
  readonly renew: () => Promise<string | undefined>;
  /** Of a picture that did not load. */
  readonly broken: () => void;
  /** Opens it as a link would, but never what the server says instead of a file. */
  readonly open: () => Promise<void>;
}

const AGAIN_MS = 10_000;

/** Status of the answer; 0: none. */
function statusOf(url: string): Promise<number> {
  return fetch(url, { method: 'HEAD', credentials: 'omit' }).then(
    ({ status }) => status,
    () => 0,
  );
}

function follow(url: string): void {
  const link = document.createElement('a');
  Object.assign(link, { href: url, target: '_blank', rel: 'noopener noreferrer' });
  link.click();
}

/** The signed address of a file ends after a day, a console stays open for longer: renewed when it is needed. */
export function useFile({ attachment, messageId, sessionId }: FileOfMessage): FileInUse {
  const { desk } = useDesk();
  const [renewed, setRenewed] = useState<Attachment | null>(null);
  const [trouble, setTrouble] = useState<FileInUse['trouble']>(null);
  const renewedAt = useRef(-AGAIN_MS);
  const { url: given } = renewed?.id === attachment.id ? renewed : attachment;
  const url = given === undefined ? undefined : wholeAddress(given);

  const renew = async (): Promise<string | undefined> => {
    if (messageId === null) return undefined;
    renewedAt.current = performance.now();
    try {
      const page = await desk.client.api.messages(sessionId, { beforeId: messageId + 1, limit: 1 });
      const found = page.messages.flatMap(({ attachments }) => attachments).find(({ id }) => id === attachment.id);
      setRenewed(found ?? null);
      setTrouble(found === undefined ? 'gone' : null);
      return found?.url === undefined ? undefined : wholeAddress(found.url);
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      setTrouble(error.status === 404 ? 'gone' : 'failed');
      return undefined;
    }
  };
  return {
    url,
    trouble,
    renew,
    broken() {
      if (performance.now() - renewedAt.current < AGAIN_MS) return setTrouble('failed');
      // The address that has not ended would be the same, and nothing would load it again.
      void renew().then((address) => address === url && setTrouble('failed'));
    },
    async open() {
      let address = url;
      let status = address === undefined ? 401 : await statusOf(address);
      if (status === 401 || status === 403) {
        address = await renew();
        if (address === undefined) return;
        status = await statusOf(address);
      }
      const ok = status >= 200 && status < 300;
      setTrouble(ok ? null : status === 404 ? 'gone' : 'failed');
      if (ok && address !== undefined) follow(address);
    },
  };
}
