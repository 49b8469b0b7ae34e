import { urlOf } from '@chat-realtime/client/links';
import type { ConsentProof } from '@chat-realtime/client/staff';
import { dateTime, t } from '../../i18n/index.ts';
import { shownWords } from '../../state/consent.ts';

/** A person's consent: version and time, and the words on demand. */
export function ConsentWords({
  proof,
  locale,
  open = false,
}: {
  proof: ConsentProof;
  locale: string | null;
  open?: boolean;
}) {
  const version = typeof proof.given === 'object' ? proof.given.version : null;
  const summary = t().consentOf(version, dateTime(proof.at));
  if (proof.text === null) return <span title={t().consentUnknown}>{summary}</span>;
  const url = proof.text.url === null ? null : urlOf(proof.text.url);
  return (
    <details class="consent" open={open}>
      <summary>{summary}</summary>
      <p dir="auto">{shownWords(proof.text, locale)}</p>
      {url && (
        <a href={url.href} target="_blank" rel="noopener noreferrer nofollow">
          {url.href}
        </a>
      )}
    </details>
  );
}
