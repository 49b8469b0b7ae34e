import { splitLinks } from '@chat-realtime/client/links';

/** Hebrew, Arabic and their neighbours. */
const LEFTWARDS = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A person's text, shown as text; only addresses become links. */
export function Body({ text }: { text: string }) {
  return (
    <p class={`body${LEFTWARDS.test(text) ? ' is-leftwards' : ''}`} dir="auto">
      {splitLinks(text).map((piece) =>
        piece.href === null ? (
          piece.text
        ) : (
          <a href={piece.href} target="_blank" rel="noopener noreferrer nofollow ugc">
            {piece.text}
          </a>
        ),
      )}
    </p>
  );
}
