const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;color-scheme:light dark}
button{font:inherit;padding:.5rem 1rem;border-radius:.5rem;border:1px solid currentColor;background:none;color:inherit;cursor:pointer}`;

function page(content: string): string {
  return `<!doctype html><html lang="ru"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>Почта чата · Chat mail</title><style>${STYLE}</style><main>${content}</main></html>`;
}

/** Opening a link changes nothing: programs that look at mail open links too. */
export function unsubscribePage(): string {
  return page(`<h1>Не получать писем из чата?</h1><p lang="en">Stop receiving mail from this chat?</p>
<form method="post"><button type="submit">Больше не писать мне · Stop</button></form>`);
}

export function unsubscribedPage(): string {
  return page(`<h1>Писем больше не будет</h1><p lang="en">You will get no more mail from this chat.</p>`);
}
