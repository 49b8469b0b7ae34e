// Puts the chat into the page. A cached page is the same for everybody, so it does not say who is signed in: a cookie
// without a name says that somebody is, and a request to the site returns who.
((settings) => {
  const chat = (window.chatWidget = window.chatWidget || { q: [] });
  const calls =
    'init identify logout open close toggle show hide send requestCallback mount setLocale setTheme on once off destroy';
  for (const name of calls.split(' '))
    chat[name] =
      chat[name] || ((...given) => new Promise((resolve, reject) => chat.q.push([name, given, resolve, reject])));

  const script = document.createElement('script');
  script.async = true;
  script.src = settings.loader;
  Object.assign(script.dataset, settings.attributes);
  if (settings.identity) {
    const signedIn = document.cookie.split('; ').includes(`${settings.mark}=1`);
    script.dataset.signedIn = String(signedIn);
    const getToken = async () => {
      const answer = await fetch(settings.identity, { credentials: 'same-origin', cache: 'no-store' });
      // The site cannot answer: the widget waits and asks again. An empty answer means that nobody is signed in.
      if (!answer.ok) throw new Error(`the site answered ${answer.status}`);
      return answer.text();
    };
    if (signedIn) chat.identify({ getToken });
  }
  document.head.append(script);
})(window.chatRealtimeSite);
