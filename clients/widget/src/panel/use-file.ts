import { type Attachment, ChatClientError } from '@chat-realtime/client';
import { useRef, useState } from 'preact/hooks';
import { attachmentUrl } from './attachments.ts';
import { useStore } from './cell.ts';
import { useModel } from './context.ts';

export interface ShownFile {
  readonly attachment: Attachment;
  /** Null while the message is not stored. */
  readonly messageId: number | null;
}
type Trouble = 'failed' | 'gone';

export interface FileInUse {
  readonly url: string | null;
  readonly trouble: Trouble | null;
  /** Requests an address that is valid now; null if there is none. */
  readonly renew: () => Promise<string | null>;
  /** Of a picture that did not load: its address has ended, or there is more to it. */
  readonly broken: () => void;
  /** Opens it as a link would, but never what the server says instead of a file. */
  readonly open: () => Promise<void>;
}

const AGAIN_MS = 10_000;

/** Status of the answer; 0: none. */
function look(url: string): Promise<number> {
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

/** The signed address of a file ends after a day, a page may stay open for longer: renewed when it is needed. */
export function useFile({ attachment, messageId }: ShownFile): FileInUse {
  const model = useModel();
  const { baseUrl } = useStore(model.settings);
  const [renewed, setRenewed] = useState<Attachment | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const renewedAt = useRef(-AGAIN_MS);
  const url = attachmentUrl(renewed?.id === attachment.id ? renewed : attachment, baseUrl);

  const renew = async (): Promise<string | null> => {
    if (messageId === null) return null;
    renewedAt.current = performance.now();
    try {
      const next = await model.client.attachment(messageId, attachment.id);
      setRenewed(next);
      setTrouble(null);
      return attachmentUrl(next, baseUrl);
    } catch (error) {
      setTrouble(error instanceof ChatClientError && error.status === 404 ? 'gone' : 'failed');
      model.failed(error);
      return null;
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
      let status = address === null ? 401 : await look(address);
      if (status === 401 || status === 403) {
        address = await renew();
        if (address === null) return;
        status = await look(address);
      }
      const ok = status >= 200 && status < 300;
      setTrouble(ok ? null : status === 404 ? 'gone' : 'failed');
      if (ok && address !== null) follow(address);
    },
  };
}
