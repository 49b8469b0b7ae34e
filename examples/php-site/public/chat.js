// A chat on a page: requests what the site has after an id, every 5 seconds.
(() => {
  const box = document.querySelector('[data-chat]');
  if (!box) return;
  const list = box.querySelector('ol');
  const form = box.querySelector('form');
  let id = Number(box.dataset.chat || localStorage.getItem('chat_id') || 0);
  let since = 0;

  const call = async (path, data) => {
    const answer = await fetch(path, {
      method: data ? 'POST' : 'GET',
      headers: data ? { 'Content-Type': 'application/json' } : {},
      body: data && JSON.stringify(data),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };

  function show({ id: messageId, sender, manager, body }) {
    if (Number(messageId) <= since) return;
    since = Number(messageId);
    const item = document.createElement('li');
    item.className = sender;
    item.dataset.id = messageId;
    item.textContent = manager ? `${manager}: ${body}` : body;
    list.append(item);
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const data = Object.fromEntries(new FormData(form));
    if (id) await call(`/chat/${id}${box.dataset.post}`, { body: data.body });
    else {
      id = (await call('/chat/session', { ...data, initial_message: data.body })).id;
      localStorage.setItem('chat_id', id);
    }
    form.reset();
    await poll();
  });
  document.querySelectorAll('[data-action]').forEach((button) => {
    button.addEventListener('click', () => call(button.dataset.action, {}).then(() => location.reload()));
  });

  let asking = false;

  async function poll() {
    if (!id || asking) return;
    asking = true;
    try {
      (await call(`/chat/${id}?since_id=${since}`)).messages.forEach(show);
    } finally {
      asking = false;
    }
  }

  poll();
  setInterval(poll, 5000);
})();
