// The channel: while it is open and healthy, the page requests what is new when a frame arrives, and rarely otherwise.
// chatChannel(address, token, first, ring) → { open, ack }: `token` returns a fresh token, `first` is the first frame
// without it, `ring` gets every frame. `ack(lastId, chatId)` reports that the page has shown the messages up to lastId.
window.chatChannel = (address, token, first, ring) => {
  const channel = { open: false, ack };
  const heard = new Map();
  const told = new Map();
  let isKnown = false;
  let attempt = 0;
  let secret;
  let socket;

  // What came over this socket is acknowledged on it, and what the page got otherwise by a separate request.
  function ack(lastId, chatId) {
    if (!isKnown || !secret || !(lastId > (told.get(chatId) ?? 0))) return;
    told.set(chatId, lastId);
    const what = first.session_id ? { last_id: lastId } : { items: [{ session_id: chatId, last_id: lastId }] };
    if (socket?.readyState === 1 && lastId <= (heard.get(chatId) ?? 0)) {
      socket.send(JSON.stringify({ type: 'ack', ...what }));
      return;
    }
    const url = address.replace(/^ws/, 'http').replace(/\/ws$/, '/ack');
    fetch(`${url}?${first.session_id ? `session=${chatId}` : 'type=staff'}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${secret.token ?? secret.access_token}` },
      body: JSON.stringify(what),
    }).then(
      ({ ok }) => ok || told.delete(chatId),
      () => told.delete(chatId),
    );
  }

  function hear({ data: text }) {
    const frame = JSON.parse(text);
    const { type, session_id: chatId, data } = frame;
    if (type === 'channel.ready') {
      attempt = 0;
      isKnown = true;
      if (data.session_id) told.set(data.session_id, data.state?.client?.delivered_id ?? 0);
    }
    // A channel that reports that it is degraded counts as closed until it is restored.
    if (type === 'channel.ready' || type === 'channel.restored') channel.open = true;
    if (type === 'channel.degraded') channel.open = false;
    if (data?.id && type.startsWith('chat.message')) heard.set(chatId, Math.max(data.id, heard.get(chatId) ?? 0));
    ring(frame);
  }

  async function connect() {
    let code = 1006;
    let alive;
    try {
      secret ??= await token();
      heard.clear();
      socket = new WebSocket(address);
      socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', ...first, ...secret }));
      code = await new Promise((resolve) => {
        let unanswered = 0;
        socket.onclose = (event) => resolve(event.code);
        socket.onmessage = (event) => {
          unanswered = 0;
          hear(event);
        };
        // A lost network reports nothing, so a silent socket is treated as closed.
        alive = setInterval(() => {
          if (socket.readyState === 1) socket.send('{"type":"ping"}');
          if (unanswered++ === 2) resolve(1006);
        }, 15000);
      });
    } catch {
      // No token or no network: polling continues, and so do the attempts.
    }
    clearInterval(alive);
    if (socket) socket.onmessage = null;
    socket?.close();
    channel.open = false;
    isKnown = true;
    // The token is too old or was refused: get a fresh one.
    if ([4401, 4501, 4503, 4505].includes(code)) secret = undefined;
    // A permanent refusal is retried rarely. A new chat that the channel does not know yet (4504) will be known in a
    // moment: this and everything else is retried soon, with growing pauses.
    const wait = code >= 4500 && code !== 4504 ? 60000 : Math.min(30000, 500 * 2 ** attempt++);
    setTimeout(connect, wait / 2 + (Math.random() * wait) / 2);
  }
  connect();
  return channel;
};
