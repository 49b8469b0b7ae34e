import { splitLinks } from '@chat-realtime/client/links';

/** What somebody wrote, as text; addresses become links, and nothing else becomes anything. */
export function Body({ text }: { text: string }) {
  return (
    <p class="body">
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
