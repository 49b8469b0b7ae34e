/** For a browser without the cookie. It needs no file and no script, so that nothing of the page is open to others. */
export const CLOSED_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

export const CLOSED_PAGE = `<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Chat Realtime</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto 0; padding: 0 1.25rem }
h1 { font-size: 1.25rem; margin: 0 0 .5rem }
section + section { margin-top: 2rem; opacity: .75 }
p { margin: 0 }
</style>
</head>
<body>
<section>
<h1>Эта страница открывается адресом из терминала</h1>
<p>Откройте последний адрес <code>/try/?key=…</code>, который напечатал <code>npm start</code>. Каждый открывается один раз.</p>
</section>
<section lang="en">
<h1>This page opens by the address in the terminal</h1>
<p>Open the last address <code>/try/?key=…</code> that <code>npm start</code> has printed. Each opens once.</p>
</section>
</body>
</html>
`;
