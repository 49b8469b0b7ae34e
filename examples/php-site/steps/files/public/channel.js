// The doorbell: while the channel is open and well, the page asks when it rings, and hardly ever otherwise.
// chatChannel(address, token, first, ring) → { open, ack }: `token` answers a fresh one, `first` is the first frame without
// it, `ring` gets every frame. `ack(lastId, chatId)` tells that the page has shown the messages up to this one.
window.chatChannel = (address, token, first, ring) => {
  const channel = { open: false, ack };
  const heard = new Map();
  const told = new Map();
  let isKnown = false;
  let attempt = 0;
  let secret;
  let socket;

  // What came by this socket is acknowledged there, what the page had in another way by a request of its own.
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
    // A channel that says of itself that it is not well is as good as none until it is.
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
        // A network that went away says nothing; then neither does this socket.
        alive = setInterval(() => {
          if (socket.readyState === 1) socket.send('{"type":"ping"}');
          if (unanswered++ === 2) resolve(1006);
        }, 15000);
      });
    } catch {
      // No token, no network: polling goes on, and so does this.
    }
    clearInterval(alive);
    if (socket) socket.onmessage = null;
    socket?.close();
    channel.open = false;
    isKnown = true;
    // Too old or refused: a fresh one.
    if ([4401, 4501, 4503, 4505].includes(code)) secret = undefined;
    // What is refused for good is asked for again rarely. A new chat that the channel has not heard of (4504) is there in a
    // moment; that and everything else is asked for again soon, and later each time.
    const wait = code >= 4500 && code !== 4504 ? 60000 : Math.min(30000, 500 * 2 ** attempt++);
    setTimeout(connect, wait / 2 + (Math.random() * wait) / 2);
  }
  connect();
  return channel;
};
